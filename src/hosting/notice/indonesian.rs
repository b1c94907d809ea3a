//! The notices in Indonesian.

use super::texts::Texts;

pub(super) const TEXTS: Texts = Texts {
    verified: "Pesan dengan {business} terenkripsi ujung ke ujung: perangkat Anda dan perangkat yang didaftarkannya sebagai miliknya dapat \
        membacanya.",
    devices_changed: "{business} memakai perangkat yang lain dari sebelumnya. Pesan tetap terenkripsi ujung ke ujung.",
    own_hosting: "Pihak lain dapat membaca pesan dengan {business}, di sisi Anda: akun Anda sendiri mempunyai perangkat yang dijalankan \
        suatu operator. Pesan terenkripsi sampai ke perangkat itu, tetapi tidak ujung ke ujung.",
    hosting_ended: "Mulai sekarang pesan dengan {business} terenkripsi ujung ke ujung. Operator tidak menerima pesan baru.",
    verified_again: "Kini jelas lagi siapa yang dapat membaca pesan dengan {business}.",
    hosting_disclosed: "{business} mempunyai perangkat yang dijalankan pihak lain, yaitu operator. Operator akan menerima pesan Anda dan \
        dapat membaca semuanya. Pesan akan terenkripsi sampai ke perangkat itu, tetapi tidak ujung ke ujung.",
    disclosure_changed: "Yang ditanyakan kepada Anda tentang {business} telah berubah. Pihak lain, yaitu operator, akan menerima pesan Anda \
        dan dapat membaca semuanya. Pesan akan terenkripsi sampai ke perangkatnya, tetapi tidak ujung ke ujung.",
    terms_worsened: "Yang Anda setujui untuk {business} tidak berlaku lagi. Pihak lain, yaitu operator, akan menerima pesan Anda dan dapat \
        membaca semuanya. Pesan akan terenkripsi sampai ke perangkatnya, tetapi tidak ujung ke ujung.",
    consented: "Anda setuju bahwa pihak lain, yaitu operator, menerima pesan Anda ke {business} dan dapat membaca semuanya.",
    consent_carried_over: "Ketentuan operator yang membaca pesan Anda ke {business} berubah, tetapi tidak lebih buruk daripada yang Anda \
        setujui.",
    refused: "Anda menolak pihak lain membaca pesan Anda ke {business}.",
    withdrawn: "Anda menarik persetujuan Anda. Operator yang membaca pesan Anda ke {business} tidak menerima pesan lagi. Pesan yang sudah \
        ada padanya boleh disimpannya selama yang dinyatakannya.",
    unverified: "Tidak diketahui siapa yang akan membaca pesan ke {business}.",
    devices: [
        "{business} menyatakan bahwa semua itu perangkat pribadi.",
        "{business} menyatakan bahwa semua itu perangkat suatu bisnis, di tangannya sendiri.",
        "{business} menyatakan bahwa di antaranya ada server yang dijalankannya sendiri.",
    ],
    automated: "{business} menyatakan bahwa sebuah program menjawab di salah satunya.",
    out_of_date: "Yang diketahui tentang perangkatnya sudah kedaluwarsa.",
    contradicted: "Yang dinyatakan akunnya tentang perangkatnya tidak ada, salah, atau bertentangan dengan yang dinyatakannya sebelumnya.",
    worse_than_agreed: "Lebih buruk daripada yang Anda setujui: {what}.",
    worse: [
        "operator lain",
        "kunci lebih jauh dari bisnis ini",
        "lebih banyak yang dilakukan dengan pesan",
        "pesan dipakai untuk lebih banyak tujuan",
        "pesan ada padanya lebih lama",
        "pesan disimpan di tempat lain",
    ],
    operator: "Operator menyebut dirinya {operator}. Nama itu dipilihnya sendiri dan tidak diperiksa.",
    number: "Nomor operator adalah {number}. Operator lain, walaupun bernama sama, mempunyai nomor lain.",
    custody: [
        "Kunci perangkat itu ada pada perusahaan yang bekerja untuk {business}.",
        "Kunci perangkat itu ada pada operator jaringan pesan ini.",
        "Kunci perangkat itu ada pada layanan pesan lain.",
    ],
    roles: "Yang dilakukan operator dengan pesan: {what}.",
    role: ["menyimpannya", "membacanya", "menjawabnya atas nama {business}"],
    purposes: "Pesan dipakai untuk: {what}.",
    no_purpose: "Pesan tidak dipakai untuk apa pun selain diteruskan.",
    purpose: ["menjawabnya", "statistik", "pemasaran bisnis ini sendiri"],
    kept: "Setiap pesan ada pada operator {longest}: di penyimpanan {at_rest}, di memori dan antrean {in_use}.",
    region: "Tempat pesan disimpan: {region}.",
    no_region: "Tempat pesan disimpan tidak dinyatakan.",
    unknown_region: "Tempat pesan disimpan hanya dinyatakan dengan kode: {region}.",
    claim: "Semua ini pernyataan {business} dan mitranya. Apakah itu benar atau dipatuhi tidak dapat diperiksa.",
    sent_end_to_end: "Pesan dikirim.",
    sent_with_own_hosting: "Pesan dikirim. Untuk mengakhirinya, hapus perangkat itu dari akun Anda.",
    sent_with_consent: "Pesan dikirim. Anda dapat menarik persetujuan Anda kapan saja.",
    waits_for_decision: "Tidak ada yang dikirim sebelum Anda memutuskan.",
    stays_refused: "Tidak ada yang dikirim. Anda dapat berubah pikiran kapan saja.",
    waits_for_evidence: "Tidak ada yang dikirim sebelum diketahui siapa yang akan membacanya.",
    units: [["tahun", "tahun"], ["hari", "hari"], ["jam", "jam"], ["menit", "menit"], ["detik", "detik"]],
    exactly: "selama {time}",
    at_most: "paling lama {time} (tepatnya {seconds} detik)",
    ages: "lebih dari 1000 tahun (tepatnya {seconds} detik)",
    forever: "tanpa batas waktu",
    not_at_all: "tidak sama sekali",
    nameless: "akun ini",
    country: |row| row.2,
};
