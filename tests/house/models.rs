//! Every symbolic model in docs/models has a broken twin and accepted results, and neither a model nor a requirement that
//! it cites changes unnoticed.
//!
//! `docs/models/expected.txt` has for each model its name, a digest of it, each requirement that it cites with a digest of
//! the requirement's text, and below that ProVerif's results. A changed model has to be run again, and a reworded
//! requirement to be read against the models that cite it, before both can be accepted.
//!
//! ProVerif is not a part of the project. Where there is one, models that take seconds are run and compared. With
//! `BISIK_PROVERIF=all` all are, which takes minutes; any other value of `BISIK_PROVERIF` is the program to run.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use sha2::{Digest, Sha256};

use super::compliance::{names, requirements, written};
use super::files;

const FOLDER: &str = "docs/models";
const EXPECTED: &str = "docs/models/expected.txt";
const MANUAL: &str = "docs/models/README.md";

/// Models that take longer are run on request only.
const QUICK: Duration = Duration::from_secs(5);

/// What is accepted of one model.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Expectation {
    digest: String,
    is_slow: bool,
    /// The digest of each cited requirement, by its name; `-` where no document has it.
    cited: BTreeMap<String, String>,
    /// The lines in which ProVerif gives its results.
    results: Vec<String>,
}

/// The models by name, with their text.
fn models() -> BTreeMap<String, String> {
    let named = |path: String| path.rsplit('/').next().and_then(|file| file.strip_suffix(".pv")).unwrap().to_owned();
    files::under(FOLDER, ".pv").into_iter().map(|(path, text)| (named(path), text)).collect()
}

/// A model without its comments, on one line: what the results depend on.
fn code(text: &str) -> String {
    let (mut rest, mut code) = (text, String::new());
    while let Some((before, comment)) = rest.split_once("(*") {
        code.push_str(before);
        code.push(' ');
        rest = comment.split_once("*)").map_or("", |(_, after)| after);
    }
    code.push_str(rest);
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first eight bytes of SHA-256 of the model without its comments.
fn digest(text: &str) -> String {
    Sha256::digest(code(text).as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The requirements that a model cites, each with the digest of its present text.
fn cited(text: &str) -> BTreeMap<String, String> {
    let known: BTreeMap<_, _> = requirements().iter().map(|one| (one.name, one.digest())).collect();
    let digest = |name| known.get(name).map_or("-", String::as_str).to_owned();
    names(text).iter().map(|name| (written(*name), digest(name))).collect()
}

/// The results of a twin can be compared line by line: both have the same queries in the same order.
fn is_true(line: &str) -> bool {
    line.ends_with(" is true.")
}

/// The model whose twin `name` is. `relation_broken` and `relation_broken_early` are twins of `relation`.
fn model_of(name: &str) -> Option<&str> {
    let (model, how) = name.split_once("_broken")?;
    (how.is_empty() || how.starts_with('_')).then_some(model)
}

/// Whether the model shows that its end is reached, by a query that must be false.
fn is_of_reachability(model: &str) -> bool {
    model.split('_').any(|word| word == "reach")
}

fn parse(text: &str) -> BTreeMap<String, Expectation> {
    let mut expected: BTreeMap<String, Expectation> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(result) = line.strip_prefix("    ") {
            expected.get_mut(&last).unwrap().results.push(result.to_owned());
            continue;
        }
        let mut words = line.split(' ').map(str::to_owned);
        last = words.next().unwrap();
        let digest = words.next().unwrap_or_else(|| panic!("{EXPECTED}: {line}: no digest"));
        let is_slow = words.next().is_some_and(|word| word == "slow");
        let pair = |word: String| word.split_once('=').map(|(name, digest)| (name.to_owned(), digest.to_owned()));
        let cited = words.filter_map(pair).collect();
        expected.insert(last.clone(), Expectation { digest, is_slow, cited, results: Vec::new() });
    }
    expected
}

fn print(expected: &BTreeMap<String, Expectation>) -> String {
    let mut text = String::from(
        "# Every model: its name, a digest of it, whether it is slow, the requirements that it cites with a digest of each, and\n\
         # the results of ProVerif 2.05. Written by tests/house/models.rs.\n",
    );
    for (name, one) in expected {
        let cited = one.cited.iter().map(|(name, digest)| format!(" {name}={digest}")).collect::<String>();
        text.push_str(&format!("{name} {} {}{cited}\n", one.digest, if one.is_slow { "slow" } else { "quick" }));
        text.extend(one.results.iter().map(|line| format!("    {line}\n")));
    }
    text
}

fn accepting() -> bool {
    env::var("BISIK_MODELS").is_ok_and(|value| value == "accept")
}

/// The program that `BISIK_PROVERIF` names, or `proverif` where it is on the `PATH`.
fn proverif() -> Option<String> {
    let named = env::var("BISIK_PROVERIF").ok().filter(|value| !["", "all"].contains(&value.as_str()));
    let program = named.clone().unwrap_or_else(|| "proverif".to_owned());
    let runs = Command::new(&program).arg("-help").output().is_ok();
    assert!(runs || named.is_none(), "BISIK_PROVERIF: {program} cannot be run");
    runs.then_some(program)
}

/// The results that ProVerif gives for each of the models, and whether it took long.
fn run(program: &str, chosen: &[String]) -> BTreeMap<String, (Vec<String>, bool)> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let one_by_one = || {
        while let Some(name) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            let model = files::root().join(FOLDER).join(format!("{name}.pv"));
            let output = Command::new(program).arg(model).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let results: Vec<_> = text.lines().filter(|line| line.starts_with("RESULT ")).map(str::to_owned).collect();
            assert!(output.status.success() && !results.is_empty(), "{name}: no result:\n{text}");
            done.lock().unwrap().insert(name.clone(), (results, began.elapsed() > QUICK));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(one_by_one);
        }
    });
    done.into_inner().unwrap()
}

/// The models as they are now. Results of models that did not change are those accepted before.
fn present(accepted: &BTreeMap<String, Expectation>) -> BTreeMap<String, Expectation> {
    let models = models();
    let has_changed = |name: &String| accepted.get(name).is_none_or(|one| one.digest != digest(&models[name]));
    let changed: Vec<_> = models.keys().filter(|name| has_changed(name)).cloned().collect();
    let ran = match accepting() && !changed.is_empty() {
        true => run(&proverif().expect("a changed model can be accepted only where ProVerif runs"), &changed),
        false => BTreeMap::new(),
    };
    let expectation = |(name, text): (&String, &String)| {
        let before = accepted.get(name).map(|one| (one.results.clone(), one.is_slow));
        let (results, is_slow) = ran.get(name).cloned().or(before).unwrap_or_default();
        (name.clone(), Expectation { digest: digest(text), is_slow, cited: cited(text), results })
    };
    models.iter().map(expectation).collect()
}

#[test]
fn no_model_and_no_requirement_that_it_cites_changes_unnoticed() {
    let accepted = parse(&files::read(EXPECTED));
    let present = present(&accepted);
    assert!(present.len() > 40, "the models were read");
    if accepting() {
        fs::write(files::root().join(EXPECTED), print(&present)).unwrap();
    }
    let accepted = parse(&files::read(EXPECTED));
    let mut changes: Vec<String> = accepted.keys().filter(|name| !present.contains_key(*name)).cloned().collect();
    for (name, now) in &present {
        let Some(then) = accepted.get(name) else {
            changes.push(format!("{name} is new"));
            continue;
        };
        let reworded = now.cited.iter().filter(|(name, digest)| then.cited.get(*name) != Some(*digest));
        changes.extend(reworded.map(|(cited, _)| format!("{name}: {cited} has another text, or is newly cited")));
        let dropped = then.cited.keys().filter(|cited| !now.cited.contains_key(*cited));
        changes.extend(dropped.map(|cited| format!("{name}: {cited} is no longer cited")));
        if now.digest != then.digest {
            changes.push(format!("{name}: the model changed"));
        }
    }
    assert!(
        changes.is_empty(),
        "the accepted models are not those of {FOLDER} and the documents:\n\n{}\n\n\
         Read each model against the requirements that it cites: does it still model what they say? Then run the changed \
         ones, accept all of it, and commit {EXPECTED}:\n\n    BISIK_MODELS=accept cargo test --test house models\n",
        changes.join("\n"),
    );
    assert_eq!(print(&accepted), files::read(EXPECTED), "{EXPECTED} has the form in which it is written");
}

#[test]
fn every_model_cites_requirements_that_exist() {
    for (name, text) in models() {
        let cited = cited(&text);
        assert!(!cited.is_empty(), "{name} cites no requirement");
        let invented: Vec<_> = cited.iter().filter(|(_, digest)| *digest == "-").map(|(name, _)| name).collect();
        assert_eq!(invented, Vec::<&String>::new(), "{name} cites names that no document has");
    }
}

/// A model that cannot fail shows nothing. Its twin has one part broken, and at least one of its results is another.
#[test]
fn every_model_holds_and_has_a_twin_that_fails() {
    let expected = parse(&files::read(EXPECTED));
    for (name, one) in &expected {
        let all_false = one.results.iter().all(|line| line.ends_with(" is false."));
        let Some(model) = model_of(name) else {
            let has_twin = expected.keys().any(|other| model_of(other) == Some(name));
            assert!(has_twin, "{name} has no twin `{name}_broken`");
            let holds = if is_of_reachability(name) { all_false } else { one.results.iter().any(|line| is_true(line)) };
            assert!(holds, "{name} does not hold");
            assert!(!one.results.iter().any(|line| line.contains("cannot be proved")), "{name} is not proved");
            continue;
        };
        let whole = &expected.get(model).unwrap_or_else(|| panic!("{name} is the twin of no model")).results;
        let mut pairs = whole.iter().zip(&one.results).map(|(whole, broken)| (is_true(whole), is_true(broken)));
        let fails = (!is_of_reachability(model), is_of_reachability(model));
        assert!(pairs.any(|pair| pair == fails), "{name} does not fail where {model} holds");
    }
}

#[test]
fn models_give_the_accepted_results() {
    let Some(program) = proverif().filter(|_| !accepting()) else { return };
    let all = env::var("BISIK_PROVERIF").is_ok_and(|value| value == "all");
    let expected = parse(&files::read(EXPECTED));
    let chosen: Vec<_> = expected.iter().filter(|(_, one)| all || !one.is_slow).map(|(name, _)| name.clone()).collect();
    let ran = run(&program, &chosen);
    let differ = ran.iter().filter(|(name, (results, _))| *results != expected[*name].results);
    let differ: Vec<_> =
        differ.map(|(name, (results, _))| format!("{name}:\n    {}", results.join("\n    "))).collect();
    assert!(differ.is_empty(), "other results than in {EXPECTED}:\n{}", differ.join("\n"));
}

#[test]
fn the_manual_of_the_models_names_each_of_them() {
    let manual = files::read(MANUAL);
    let missing: Vec<_> = models().into_keys().filter(|name| !manual.contains(&format!("`{name}`"))).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn comments_and_line_breaks_change_no_digest_of_a_model() {
    let model = "(* P-3.1. *)\nfree c: channel. (* the network *)\nquery x: t;\n  attacker(x).\n";
    assert_eq!(code(model), "free c: channel. query x: t; attacker(x).");
    assert_eq!(digest(model), digest(&model.replace("P-3.1", "P-3.3").replace(";\n ", ";")));
    assert_ne!(digest(model), digest(&model.replace("attacker(x)", "attacker(y)")));
}

#[test]
fn twins_are_recognised_by_their_names() {
    assert_eq!(model_of("relation_broken"), Some("relation"));
    assert_eq!(model_of("relation_broken_early"), Some("relation"));
    assert_eq!([model_of("relation"), model_of("relation_brokenly")], [None, None]);
    assert!(is_of_reachability("relation_reach") && !is_of_reachability("reached"));
}
