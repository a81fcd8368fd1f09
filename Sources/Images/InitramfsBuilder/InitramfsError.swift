/// Why no initramfs could be made; every description is one line that says what to do.
public enum InitramfsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file could not be read or written: its path and the system's reason.
    case file(path: String, reason: String)
    /// The image has no modules for this kernel.
    case noModules(release: String)
    /// The image's kernel has no such module and it is not built in either.
    case missingModule(String, release: String)
    /// `modules.dep` names a file that the image does not have.
    case missingModuleFile(String)
    /// The image has no static busybox for its architecture.
    case noBusybox(architecture: String, tried: [String])
    /// A program that runs on nodes is missing from the directory of node programs.
    case missingProgram(String, directory: String)
    /// A tool that is not installed, or that failed, with the end of what it said.
    case tool(String, reason: String)
    /// The archive can not be written.
    case archive(String)

    /// One line for people.
    public var description: String {
        switch self {
        case .file(let path, let reason): "\(path): \(reason)"
        case .noModules(let release):
            "the image has no lib/modules/\(release)/modules.dep; install its kernel package, or run 'depmod \(release)' in it"
        case .missingModule(let name, let release):
            "the image's kernel \(release) has no module '\(name)', which a diskless root needs; choose another kernel package"
        case .missingModuleFile(let path):
            "modules.dep of the image names \(path), which is not there; run depmod in the image"
        case .noBusybox(let architecture, let tried):
            "the image has no static busybox for \(architecture) (looked at \(tried.joined(separator: ", "))); "
                + "install busybox-static in it"
        case .missingProgram(let name, let directory):
            "\(directory) has no \(name); build the node programs with 'make -C node', or reinstall"
        case .tool(let name, let reason): "\(name): \(reason)"
        case .archive(let reason): reason
        }
    }
}
