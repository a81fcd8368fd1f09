import CPIO

/// What is read can be written, if its paths are ones that we write, and reads the same again.
func fuzzCPIO(_ bytes: Span<UInt8>) {
    guard let entries = try? CPIOReader.entries(of: bytes) else { return }
    var writer = CPIOWriter()
    for entry in entries {
        do { try writer.add(entry) } catch { return }
    }
    let archive = writer.finish()
    guard let again = try? CPIOReader.entries(of: archive.span) else {
        preconditionFailure("a written archive cannot be read")
    }
    precondition(again.count == entries.count, "an entry was lost")
    for (old, new) in zip(entries, again) {
        precondition(old.path == new.path && old.data == new.data && old.kind == new.kind, "an entry changed")
    }
}
