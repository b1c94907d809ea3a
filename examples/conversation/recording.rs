//! All that the relay has seen: every byte that it has read and written, in two files.
//!
//! Does not know what is in it. Bundles are kept apart, because they must carry their owner's public identity.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The files, while they are written.
pub(crate) struct Recording {
    files: [BufWriter<File>; 2],
    whole: bool,
}

/// Which of the two.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shelf {
    /// Frames that publish a bundle or hand one out.
    Bundles,
    /// All other frames: messages, acknowledgements, requests, and whatever a dying process left of one.
    Mail,
}

impl Recording {
    pub(crate) fn create(directory: &Path) -> io::Result<Self> {
        let create = |shelf| File::create(path(directory, shelf)).map(BufWriter::new);
        Ok(Self { files: [create(Shelf::Bundles)?, create(Shelf::Mail)?], whole: true })
    }

    pub(crate) fn write(&mut self, shelf: Shelf, bytes: &[u8]) {
        let [bundles, mail] = &mut self.files;
        let file = match shelf {
            Shelf::Bundles => bundles,
            Shelf::Mail => mail,
        };
        self.whole &= file.write_all(bytes).is_ok();
    }

    /// Whether everything is in the files now.
    pub(crate) fn finish(&mut self) -> bool {
        self.whole && self.files.iter_mut().all(|file| file.flush().is_ok())
    }
}

pub(crate) fn path(directory: &Path, shelf: Shelf) -> PathBuf {
    directory.join(match shelf {
        Shelf::Bundles => "bundles",
        Shelf::Mail => "mail",
    })
}
