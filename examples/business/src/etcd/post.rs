//! The relay's side, and what the director needs.

use std::time::Duration;

use super::gateway::{self, If, Op};
use super::plan::MOST;
use super::queue::lane_name;
use super::{Etcd, decode, moment};
use crate::engine::{Books, Lane, Mail, Name, Post, Row, Sealed, Sent};
use crate::{Outcome, hex};

impl Post for Etcd {
    fn publish_lists(&mut self, lists: &[(Name, Vec<u8>)]) -> Outcome<()> {
        let put = |(name, list): &(Name, Vec<u8>)| Op::Put(self.key(&format!("list/{}", hex(name))), list.clone());
        self.write(lists.iter().map(put).collect())
    }

    fn business(&mut self) -> Outcome<(Vec<u8>, Vec<u8>)> {
        let (list, last_resort) = (self.get_one("published/list")?, self.get_one("published/last-resort")?);
        Ok((list.ok_or("no business")?, last_resort.ok_or("no business")?))
    }

    fn take_bundles(&mut self, most: usize) -> Outcome<Vec<Vec<u8>>> {
        let space = self.key("bundle/");
        let list = Op::List(space.clone(), gateway::end(&space), most.min(MOST));
        let found = self.gateway.transaction(&[], &[list], &[])?.read.into_iter().flatten().collect::<Vec<_>>();
        let there: Vec<_> = found.iter().map(|entry| If::Exists(entry.key.clone())).collect();
        let take: Vec<_> = found.iter().map(|entry| Op::Delete(entry.key.clone())).collect();
        // If somebody else was faster with one of them, the customer asks again.
        let taken = !found.is_empty() && self.gateway.transaction(&there, &take, &[])?.succeeded;
        Ok(if taken { found.into_iter().map(|entry| entry.value).collect() } else { Vec::new() })
    }

    fn send(&mut self, mail: &[Mail]) -> Outcome<()> {
        let mut puts = Vec::new();
        for (number, mail) in mail.iter().enumerate() {
            // In order within a conversation, as far as the clock has it. A copy that the relay makes has another name.
            let (lane, conversation) = (lane_name(Lane::of(mail)), hex(&mail.conversation));
            let id = format!("{}-{number:04}-{}", moment(Duration::ZERO)?, hex(&rand::random::<[u8; 4]>()));
            puts.push(Op::Put(self.key(&format!("in/{lane}/{conversation}/{id}")), postcard::to_stdvec(mail)?));
        }
        self.write(puts)
    }

    fn fetch(&mut self, most: usize) -> Outcome<Vec<Mail>> {
        let (out, sent) = (self.key("out/"), self.key("sent/"));
        let list = Op::List(out.clone(), gateway::end(&out), most.min(MOST / 2));
        let found: Vec<_> = self.gateway.transaction(&[], &[list], &[])?.read.into_iter().flatten().collect();
        let mut moves = Vec::new();
        for entry in &found {
            // For the audit; a relay would only delete.
            moves.push(Op::Put(entry.key.replacen(&out, &sent, 1), entry.value.clone()));
            moves.push(Op::Delete(entry.key.clone()));
        }
        // Only the process of the customers fetches, and moving twice changes nothing.
        self.write(moves)?;
        found.iter().map(|entry| Ok(decode::<Sent>(&entry.value)?.mail)).collect()
    }
}

impl Books for Etcd {
    fn found(&mut self, account: &Sealed, list: &[u8], last_resort: &[u8], bundles: &[Vec<u8>]) -> Outcome<()> {
        let key = self.key("account");
        let operations = [
            Op::Put(key.clone(), account.bytes.clone()),
            Op::Put(self.key("published/list"), list.to_vec()),
            Op::Put(self.key("published/last-resort"), last_resort.to_vec()),
        ];
        if !self.gateway.transaction(&[If::Unchanged(key, 0)], &operations, &[])?.succeeded {
            return Err("there is already a business here".into());
        }
        self.write(bundles.iter().map(|bundle| self.bundle(bundle)).collect())
    }

    fn rows(&mut self) -> Outcome<Vec<Row>> {
        self.read_all("row/")
    }

    fn sent(&mut self) -> Outcome<Vec<Sent>> {
        let mut sent = self.read_all("sent/")?;
        sent.extend(self.read_all::<Sent>("out/")?);
        Ok(sent)
    }

    fn buried(&mut self) -> Outcome<Vec<(Mail, String)>> {
        self.read_all("buried/")
    }
}
