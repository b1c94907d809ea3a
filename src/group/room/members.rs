//! What a user does to the group. Each is a statement, which [`Group::flush`] gives to the members.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::Group;
use super::desk::Notice;
use super::items::Item;
use super::wire::Note;
use crate::account::Account;
use crate::conversation::{Letter, MemberDevice};
use crate::device::AccountKey;
use crate::group::membership::{
    ActId, AdmittedEndpoint, Author, LinkPolicy, LinkSecret, Membership, Role, Setting, Stay, StayId, WriteError,
    Written,
};
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

type Result<T> = core::result::Result<T, WriteError>;

impl Group {
    /// Invites an account, for the owner or an admin: it is told, and is a member once it accepts. Errors as for
    /// [`Membership::add`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn invite(
        &mut self,
        account: &Account,
        whom: AccountKey,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<()> {
        self.write(account, |membership, author| membership.add(author, whom, now, rng))
    }

    /// Accepts the invitation of the local account. Errors as for [`Membership::accept`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn accept(&mut self, account: &Account, now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.accept(author, now))
    }

    /// Leaves the group, or declines the invitation, with the primary device of the account. The owner hands over or ends
    /// the group instead. Errors as for [`Membership::leave`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn leave(&mut self, account: &Account, drop: &[ActId], now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.leave(author, drop, now))
    }

    /// Removes an account, for the owner, or of a member or reader for an admin. The next message begins a chain that it
    /// does not get; it is told. Errors as for [`Membership::remove`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn remove(&mut self, account: &Account, whom: &AccountKey, drop: &[ActId], now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.remove(author, whom, drop, now))
    }

    /// Gives an account another role, for the owner. Errors as for [`Membership::set_role`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn set_role(
        &mut self,
        account: &Account,
        whom: &AccountKey,
        role: Role,
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<()> {
        self.write(account, |membership, author| membership.set_role(author, whom, role, drop, now))
    }

    /// Sets a setting, for the owner; an empty value removes it. Errors as for [`Membership::set`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn set(&mut self, account: &Account, setting: Setting, value: &[u8], now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.set(author, setting, value, now))
    }

    /// Admits a hosted device, for the owner: every member sees it, and who agrees to its terms gives it keys. Errors as for
    /// [`Membership::admit`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn admit(&mut self, account: &Account, endpoint: AdmittedEndpoint, now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.admit(author, endpoint, now))
    }

    /// Ends the admission of a hosted device, for a device of its account, or for the owner or an admin. Errors as for
    /// [`Membership::retire`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn retire(&mut self, account: &Account, endpoint: &IdentityKey, now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.retire(author, endpoint, now))
    }

    /// Bars a companion that was stolen, for the owner and for good. Errors as for [`Membership::bar`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn bar(
        &mut self,
        account: &Account,
        whose: AccountKey,
        device: IdentityKey,
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<()> {
        self.write(account, |membership, author| membership.bar(author, whose, device, drop, now))
    }

    /// Opens a link, for the owner or an admin. Draws 32 bytes from `rng`. Errors as for [`Membership::open_link`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn open_link(
        &mut self,
        account: &Account,
        policy: LinkPolicy,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<LinkSecret> {
        let mut opened = None;
        self.write(account, |membership, author| {
            let (link, written) = membership.open_link(author, policy, now, rng)?;
            opened = Some(link);
            Ok(written)
        })?;
        opened.ok_or(WriteError::Internal)
    }

    /// Joins by a link, as an account that is no member: at once, or, by a link that asks, once somebody has added it. The
    /// group is one of which a member was [asked](Self::knock). Errors as for [`Membership::join`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn join(
        &mut self,
        account: &Account,
        link: &LinkSecret,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<()> {
        self.write(account, |membership, author| membership.join(author, link, now, rng))
    }

    /// Asks a device of a member to tell this account of the group, because it has a link: the device answers with letters,
    /// the first of which the account [follows](Self::follow), to [join](Self::join) then. The member is whoever gave the
    /// link, with whom there is a conversation. Draws 16 bytes from `rng`.
    #[must_use = "give it to the conversation with the member"]
    pub fn knock(
        account: &Account,
        link: &LinkSecret,
        to: MemberDevice,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Letter {
        let stay = Stay { account: *account.key(), id: StayId::generate(rng) };
        let proof = Box::new(link.proof(&stay));
        let note = Note::Knock { group: link.group(), link: link.id(), stay: stay.id, proof };
        Letter::new(to, note.encode())
    }

    /// Closes a link, for the owner or an admin. Errors as for [`Membership::close_link`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn close_link(&mut self, account: &Account, link: ActId, drop: &[ActId], now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.close_link(author, link, drop, now))
    }

    /// Adds an account that asks by a link, for the owner or an admin. Errors as for [`Membership::admit_request`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn admit_request(&mut self, account: &Account, stay: &Stay, now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.admit_request(author, stay, now))
    }

    /// Asks that everybody use new keys, for the owner or an admin. Errors as for [`Membership::rekey`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn rekey(&mut self, account: &Account, now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.rekey(author, now))
    }

    /// Agrees to own the group as of its next entry, with the primary device. Send the 64 bytes to the owner, as a message of
    /// the program.
    ///
    /// # Errors
    ///
    /// [`WriteError::NotThePrimary`].
    pub fn consent_to_own(&self, account: &Account) -> Result<[u8; 64]> {
        if account.primary().is_none() {
            return Err(WriteError::NotThePrimary);
        }
        Ok(self.membership.consent_to_own(account.identity()))
    }

    /// Hands the group over to a member who has [consented](Self::consent_to_own). Errors as for [`Membership::hand_over`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn hand_over(
        &mut self,
        account: &Account,
        to: &AccountKey,
        consent: [u8; 64],
        drop: &[ActId],
        now: Timestamp,
    ) -> Result<()> {
        self.write(account, |membership, author| membership.hand_over(author, to, consent, drop, now))
    }

    /// Undoes acts, and ends the suspensions by them, for the owner. Errors as for [`Membership::lift`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn lift(&mut self, account: &Account, acts: &[ActId], now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.lift(author, acts, now))
    }

    /// Ends the group, for the owner: no entry follows. Errors as for [`Membership::end`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]. Nothing has changed then.
    pub fn end(&mut self, account: &Account, now: Timestamp) -> Result<()> {
        self.write(account, |membership, author| membership.end(author, now))
    }

    /// Writes something, and notes who has to be told.
    pub(super) fn write(
        &mut self,
        account: &Account,
        write: impl FnOnce(&mut Membership, &Author<'_>) -> Result<Written>,
    ) -> Result<()> {
        let author = Author::of(account.identity(), account.devices())?;
        let Written { statements, events } = write(&mut self.membership, &author)?;
        self.touch();
        let items: Vec<_> = statements.into_iter().map(Item::Statement).collect();
        let own = self.desk.local.account;
        for event in &events {
            if let Some(stay) = event.begins() {
                if stay.account == own {
                    self.desk.by_letter = true;
                } else {
                    self.desk.notices.insert(stay.account, Notice::All);
                }
            }
            if let Some(stay) = event.ends() {
                if stay.account == own {
                    self.desk.by_letter = true;
                } else {
                    let told = self.desk.notices.entry(stay.account).or_insert_with(|| Notice::These(Vec::new()));
                    if let Notice::These(told) = told {
                        told.extend(items.iter().cloned());
                    }
                }
            }
        }
        self.desk.statements.extend(items);
        self.note(events);
        Ok(())
    }
}
