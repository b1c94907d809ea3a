//! One step of a script: `name = value` lines in their order.

use crate::draws::{from_hex, to_hex};

#[derive(Clone, Debug, Default)]
pub(crate) struct Step(Vec<(String, String)>);

impl Step {
    pub(crate) fn new(verb: &str, of: &str) -> Self {
        Self::default().word("do", verb).word("of", of)
    }

    pub(crate) fn word(mut self, name: &str, value: &str) -> Self {
        self.set(name, value.to_owned());
        self
    }

    pub(crate) fn bytes(self, name: &str, value: &[u8]) -> Self {
        self.word(name, &to_hex(value))
    }

    pub(crate) fn set(&mut self, name: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn need(&self, name: &str) -> &str {
        self.text(name).unwrap_or_else(|| panic!("the step has no {name}"))
    }

    pub(crate) fn hex(&self, name: &str) -> Vec<u8> {
        from_hex(self.need(name))
    }

    pub(crate) fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.hex(name).try_into().unwrap_or_else(|_| panic!("{name} has another length"))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

pub(crate) fn parse(text: &str) -> Vec<Step> {
    let mut steps = vec![Step::default()];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, value)) = line.split_once('=') else {
            assert!(line.trim().is_empty(), "a line is neither empty nor a comment nor `name = value`: {line}");
            steps.push(Step::default());
            continue;
        };
        let step = steps.last_mut().expect("there is always one");
        assert_eq!(step.text(name.trim()), None, "a name stands there twice");
        step.set(name.trim(), value.trim().to_owned());
    }
    steps.retain(|step| !step.0.is_empty());
    steps
}

pub(crate) fn render(steps: &[Step], comment: &str) -> String {
    let mut text = format!("# {comment}\n");
    for Step(lines) in steps {
        text.push('\n');
        for (name, value) in lines {
            text.push_str(format!("{name} = {value}").trim_end());
            text.push('\n');
        }
    }
    text
}
