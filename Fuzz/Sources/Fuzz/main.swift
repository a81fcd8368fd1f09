// usage: Fuzz TARGET [libFuzzer options] [corpus folders and files]     Fuzz --list
import CLibFuzzer

/// The target of this run; set once before the fuzzer starts, on its only thread.
nonisolated(unsafe) var chosen: FuzzTarget = { _ in }

func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen(UnsafeBufferPointer(start: bytes, count: count).span)
    return 0
}

let name = CommandLine.arguments.dropFirst().first ?? ""
if name == "--list" {
    for name in fuzzTargets.keys.sorted() { print(name) }
} else if let target = fuzzTargets[name] {
    chosen = target
    // The target's name takes the program's place in the arguments that libFuzzer sees.
    var count = CommandLine.argc - 1
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
    arguments?[0] = CommandLine.unsafeArgv[0]
    _ = LLVMFuzzerRunDriver(&count, &arguments, fuzzOneInput)
} else {
    let known = fuzzTargets.keys.sorted().joined(separator: " ")
    print("usage: Fuzz TARGET [libFuzzer options] [corpus]; targets: \(known)")
}
