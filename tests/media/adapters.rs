//! The adapters to `std::io`: readers and writers give the same blob and pass errors on.

use bisik::StorageKey;
use bisik::media::{CHUNK, Encryptor, HEADER};
use proptest::prelude::*;

use super::fixtures::*;

use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

use bisik::media::{DecryptingReader, EncryptingReader, EncryptingWriter, Pointer, RandomAccessReader};

#[test]
fn encrypting_writer_and_reader_give_the_same_blob() {
    for size in [0, 1, CHUNK, 200_000] {
        let (plaintext, blob, pointer) = encrypted(size);
        let mut writer = EncryptingWriter::new(Vec::new(), photo(), size as u64, &mut SeededRng::new(1)).unwrap();
        writer.write_all(&plaintext).unwrap();
        let (written, of_written) = writer.finish().unwrap();
        assert!(written == blob);
        assert_eq!(of_written.to_bytes(), pointer.to_bytes());

        let mut reader = EncryptingReader::new(&*plaintext, photo(), size as u64, &mut SeededRng::new(1)).unwrap();
        assert_eq!(reader.ciphertext_size(), blob.len() as u64);
        let mut read = Vec::new();
        assert!(reader.pointer().is_none());
        reader.read_to_end(&mut read).unwrap();
        assert!(read == blob);
        assert_eq!(reader.pointer().unwrap().to_bytes(), pointer.to_bytes());
    }
}

#[test]
fn an_encrypting_reader_resumes_a_suspended_upload() {
    let (plaintext, blob, pointer) = encrypted(300_000);
    let (key, rng) = (StorageKey::from_bytes([5; 32]), &mut SeededRng::new(9));
    let mut first = EncryptingReader::new(&*plaintext, photo(), 300_000, &mut SeededRng::new(1)).unwrap();
    first.read_exact(&mut vec![0; 100_000]).unwrap();
    let record = first.encryptor().seal(&key, b"upload", rng);
    let encryptor = Encryptor::unseal(&key, b"upload", &record).unwrap();
    let (from_file, from_blob) = (encryptor.file_position() as usize, encryptor.blob_position() as usize);
    let mut second = EncryptingReader::resume(&plaintext[from_file..], encryptor);
    let mut rest = Vec::new();
    second.read_to_end(&mut rest).unwrap();
    assert!(from_blob > 0 && rest == blob[from_blob..]);
    assert_eq!(second.pointer().unwrap().to_bytes(), pointer.to_bytes());
}

#[test]
fn a_file_of_another_size_is_an_error() {
    let mut longer = EncryptingReader::new(&[0; 11][..], photo(), 10, &mut SeededRng::new(1)).unwrap();
    assert_eq!(longer.read_to_end(&mut Vec::new()).unwrap_err().kind(), ErrorKind::InvalidInput);
    let mut shorter = EncryptingReader::new(&[0; 9][..], photo(), 10, &mut SeededRng::new(1)).unwrap();
    assert_eq!(shorter.read_to_end(&mut Vec::new()).unwrap_err().kind(), ErrorKind::InvalidInput);
    let mut writer = EncryptingWriter::new(Vec::new(), photo(), 10, &mut SeededRng::new(1)).unwrap();
    assert_eq!(writer.write_all(&[0; 11]).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::InvalidInput);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// The reader over the blob behaves like a cursor over the file.
    #[test]
    fn a_random_access_reader_seeks_as_in_the_plaintext(
        size in sizes(),
        steps in prop::collection::vec((0_u8..3, -250_000_i64..250_000, 0_usize..100_000), 1..8),
    ) {
        let (plaintext, blob, pointer) = encrypted(size);
        let mut model = Cursor::new(&plaintext);
        let mut reader = RandomAccessReader::new(Cursor::new(&blob), &pointer).unwrap();
        prop_assert_eq!(reader.size(), size as u64);
        for (kind, offset, length) in steps {
            let to = match kind {
                0 => SeekFrom::Start(offset.unsigned_abs()),
                1 => SeekFrom::Current(offset),
                _ => SeekFrom::End(offset),
            };
            prop_assert_eq!(reader.seek(to).ok(), model.seek(to).ok());
            let [mut ours, mut theirs] = [(); 2].map(|()| Vec::new());
            reader.by_ref().take(length as u64).read_to_end(&mut ours).unwrap();
            model.by_ref().take(length as u64).read_to_end(&mut theirs).unwrap();
            prop_assert!(ours == theirs);
        }
    }

    /// P-8.6: cut, longer or changed anywhere, the file has no end. What was read before is its beginning.
    #[test]
    fn a_decrypting_reader_ends_with_the_whole_file_only(
        size in sizes(),
        at in any::<prop::sample::Index>(),
        change in 0_u8..4,
        piece in 1_usize..100_000,
        buffer in 1_usize..100_000,
    ) {
        let (plaintext, mut blob, pointer) = encrypted(size);
        let at = at.index(blob.len());
        let expected = match change {
            0 => None,
            1 => { blob.truncate(at); Some(ErrorKind::UnexpectedEof) }
            2 => { blob.push(0); Some(ErrorKind::InvalidData) }
            _ => { blob[at] ^= 1; Some(ErrorKind::InvalidData) }
        };
        let mut reader = DecryptingReader::new(Slow(&blob, piece), &pointer);
        prop_assert_eq!(reader.size(), size as u64);
        let (mut read, mut buffer) = (Vec::new(), vec![0; buffer]);
        let end = loop {
            match reader.read(&mut buffer) {
                Ok(0) => break None,
                Ok(count) => read.extend_from_slice(&buffer[..count]),
                Err(error) => break Some(error.kind()),
            }
        };
        prop_assert_eq!(end, expected);
        prop_assert!(plaintext.starts_with(&read));
        prop_assert_eq!(read.len() == size, expected.is_none() || size == 0, "all bytes only with the end");
        prop_assert_eq!(reader.read(&mut buffer).map_err(|error| error.kind()), expected.map_or(Ok(0), Err));
    }
}

/// Returns at most so many bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.1.min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}

/// P-8.6: what the pointer names is compared before the reader ends, and before its last bytes.
#[test]
fn a_decrypting_reader_that_reached_the_end_has_checked_the_root() {
    for size in [0, 1, CHUNK, 200_000] {
        let (plaintext, blob, pointer) = encrypted(size);
        let mut bytes = pointer.to_bytes();
        bytes[33] ^= 1;
        let other = Pointer::from_bytes(&bytes).unwrap();
        let mut refused = vec![(blob.clone(), other)];
        refused.extend((size > 9).then(|| (changed_with_the_key(&blob, &pointer, 0, 9), pointer.clone())));
        for (blob, pointer) in refused {
            let mut reader = DecryptingReader::new(&*blob, &pointer);
            let mut read = Vec::new();
            assert_eq!(reader.read_to_end(&mut read).unwrap_err().kind(), ErrorKind::InvalidData);
            assert!(read.len() < size.max(1), "the last bytes wait for the root");
            assert_eq!(reader.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::InvalidData, "and it stays so");
            let exactly = DecryptingReader::new(&*blob, &pointer).read_exact(&mut vec![0; size]);
            assert_eq!(exactly.is_ok(), size == 0);
            assert!(io::copy(&mut DecryptingReader::new(&*blob, &pointer), &mut io::sink()).is_err());
        }
        let mut read = Vec::new();
        DecryptingReader::new(&*blob, &pointer).read_to_end(&mut read).unwrap();
        assert!(read == plaintext);
    }
}

/// P-8.5.
#[test]
fn a_changed_chunk_is_an_error_when_it_is_read() {
    let (plaintext, mut blob, pointer) = encrypted(2 * CHUNK);
    blob[HEADER + SEALED] ^= 1;
    let mut in_order = Vec::new();
    let error = DecryptingReader::new(&*blob, &pointer).read_to_end(&mut in_order).unwrap_err();
    assert_eq!((error.kind(), in_order), (ErrorKind::InvalidData, plaintext[..CHUNK].to_vec()));
    let mut reader = RandomAccessReader::new(Cursor::new(&blob), &pointer).unwrap();
    let mut read = Vec::new();
    let error = reader.read_to_end(&mut read).unwrap_err();
    assert_eq!((error.kind(), read), (ErrorKind::InvalidData, plaintext[..CHUNK].to_vec()));
    blob[0] ^= 1;
    let error = RandomAccessReader::new(Cursor::new(&blob), &pointer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

/// A connection that breaks loses nothing: the same reader goes on, also while it waits for the end.
#[test]
fn errors_of_the_inner_reader_are_passed_on() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::ConnectionReset.into())
        }
    }
    let mut reader = EncryptingReader::new(Broken, photo(), 10, &mut SeededRng::new(1)).unwrap();
    assert_eq!(reader.read(&mut [0; 10]).unwrap_err().kind(), ErrorKind::ConnectionReset);

    struct Breaking<'a>(&'a [u8], bool);
    impl Read for Breaking<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                Err(ErrorKind::ConnectionReset.into())
            } else {
                Slow(self.0, 9_000).read(buffer).inspect(|count| self.0 = &self.0[*count..])
            }
        }
    }
    let (plaintext, blob, pointer) = encrypted(200_000);
    let (mut reader, mut read) = (DecryptingReader::new(Breaking(&blob, false), &pointer), Vec::new());
    while let Err(error) = reader.read_to_end(&mut read) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    assert!(read == plaintext);
}
