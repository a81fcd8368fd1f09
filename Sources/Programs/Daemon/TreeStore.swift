import BootModel
import CLinux
import Dispatch
import FileTree
import Foundation
import Logging
import Synchronization
import TreeMounts

/// Opens the trees that nodes mount: images, layers over them, directories; each once, for all who use it.
///
/// Everything is mounted in this process alone (`PrivateMounts`), so nothing is left behind by whatever end it has.
final class TreeStore: Sendable {
    /// A tree that is open.
    final class Open: Sendable {
        let tree: FileTree
        /// What must stay mounted below it.
        let image: ImageMount?

        init(_ tree: FileTree, image: ImageMount? = nil) {
            self.tree = tree
            self.image = image
        }
    }

    private struct Weak { weak var image: ImageMount? }

    private struct State {
        var open: [TreeSource: Open] = [:]
        var images: [ImageVersionID: Weak] = [:]
    }

    private let state: StateDirectory
    private let catalog: any ImageCatalog
    private let logger: Logger
    let cache: ObjectCache
    private let key: HandleKey
    private let opened = Mutex(State())
    /// Lets go of what clients have open in the tree with this number.
    private let forget = Mutex<Hook<UInt64, Void>?>(nil)
    /// Mounting is done here: with the server's own rights, one after the other.
    private let worker = DispatchQueue(label: "mounts")

    /// Throws when the key of file handles cannot be kept.
    init(state: StateDirectory, catalog: any ImageCatalog, logger: Logger) throws {
        self.state = state
        self.catalog = catalog
        self.logger = logger
        key = try HandleKey.kept(at: state.handleKey)
        cache = ObjectCache.fittingDescriptorLimit()
    }

    /// Tells how clients' open files of a tree that ends are let go.
    func forgetting(_ action: @escaping @Sendable (UInt64) -> Void) { forget.withLock { $0 = Hook(run: action) } }

    /// A number of this state directory's own, the same in every run.
    var serverNumber: UInt64 { key.identity(ofPath: "/") }

    /// The number in the handles of a tree: the same in every run of the server.
    func identity(of source: TreeSource) -> UInt64 {
        switch source {
        case .image(let image): key.identity(ofPath: "image:\(image)")
        case .imageFiles(let image): key.identity(ofPath: "files:\(image)")
        case .cow(_, let node, let boot): key.identity(ofPath: "cow:\(node)/\(boot)")
        // The layer's directory counts how often its handles became void.
        case .keep(let image, let node):
            key.identity(ofPath: "keep:\(node)/\(image)/\(TreeLayer(state.root(of: node)).count)")
        case .shared(let image): key.identity(ofPath: "shared:\(image)")
        case .state(let node): key.identity(ofPath: "state:\(node)")
        case .directory(let path): key.identity(ofPath: "directory:\(path)")
        }
    }

    /// The tree, opened when it is not yet.
    ///
    /// `letGo` is called when an older tree must end first: whoever still uses it shall stop. Throws one line that says
    /// what is missing.
    func tree(_ source: TreeSource, letGo: @escaping @Sendable () -> Void = {}) throws -> FileTree {
        if let open = opened.withLock({ $0.open[source] }) { return open.tree }
        return try onWorker { [self] in
            if let open = opened.withLock({ $0.open[source] }) { return open.tree }
            if end(where: { $0.isReplaced(by: source) }) { letGo() }
            let open = try make(source)
            opened.withLock { $0.open[source] = open }
            return open.tree
        }
    }

    /// Whether a tree is open already.
    func isOpen(_ source: TreeSource) -> Bool { opened.withLock { $0.open[source] != nil } }

    /// Lets go of every tree that `isWanted` does not want any more.
    func keepOnly(_ isWanted: (TreeSource) -> Bool) { _ = end { !isWanted($0) } }

    /// Lets go of every tree of a node's own.
    func end(_ node: NodeName) {
        _ = end { $0.node == node }
    }

    /// Lets go of the trees that `isOver` names; whether there was one.
    private func end(where isOver: (TreeSource) -> Bool) -> Bool {
        let dropped = opened.withLock { state in
            let dropped = state.open.filter { isOver($0.key) }
            for source in dropped.keys { state.open[source] = nil }
            return dropped.values.map(\.tree)
        }
        let forget = forget.withLock(\.self)
        for tree in dropped {
            forget?.run(tree.identity)
            tree.forgetObjects()
        }
        return !dropped.isEmpty
    }

    /// Runs something with the server's own rights, while nothing is mounted.
    private func onWorker<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Swift.Result<Result, any Error>?>(nil)
        worker.async {
            let value = Swift.Result { try body() }
            result.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        guard let value = result.withLock({ $0 }) else { throw TreeRefusal(text: "the server is stopping") }
        return try value.get()
    }

    private func make(_ source: TreeSource) throws -> Open {
        switch source {
        case .image(let image):
            let mounted = try mounted(image)
            return Open(try fileTree(mounted.path, source), image: mounted)
        case .imageFiles(let image):
            let file = URL(fileURLWithPath: try catalog.path(of: .root, in: image)).resolvingSymlinksInPath()
            return Open(try fileTree(file.deletingLastPathComponent().path, source))
        case .cow(let image, let node, let boot):
            dropLayers(of: node, but: boot)
            return try layered(TreeLayer("\(state.trees)/\(node)/\(boot)"), image, source)
        case .keep(let image, let node): return try layered(TreeLayer(state.root(of: node)), image, source)
        case .shared(let image): return try layered(TreeLayer("\(state.shared)/\(image)/tree"), image, source)
        case .state(let node):
            let path = state.state(of: node)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            return Open(try fileTree(path, source))
        case .directory(let path): return Open(try fileTree(path, source))
        }
    }

    private func fileTree(_ path: String, _ source: TreeSource) throws -> FileTree {
        try FileTree(path: path, identity: identity(of: source), key: key, cache: cache)
    }

    /// An image version's files, mounted once for all.
    private func mounted(_ image: ImageVersionID) throws -> ImageMount {
        if let mounted = opened.withLock({ $0.images[image]?.image }) { return mounted }
        guard let version = try catalog.resolve(.version(image)) else {
            throw TreeRefusal(text: "there is no image \(image) any more")
        }
        let file = try catalog.path(of: .root, in: image)
        let mounted = try ImageMount(file, type: version.rootFormat.rawValue, at: "\(state.mounts)/images/\(image)")
        opened.withLock { state in
            state.images = state.images.filter { $0.value.image != nil }
            state.images[image] = Weak(image: mounted)
        }
        return mounted
    }

    private func layered(_ layer: TreeLayer, _ image: ImageVersionID, _ source: TreeSource) throws -> Open {
        let lower = try mounted(image)
        let digest = try catalog.resolve(.version(image))?.files[.root]?.sha256 ?? image.description
        let target = "\(state.mounts)/layers/\(layer.path.split(separator: "/").suffix(3).joined(separator: "-"))"
        for attempt in 1... {
            do {
                if layer.base != digest { try waitForEnd(of: layer) }
                _ = try layer.prepare(base: digest)
                try layer.mount(over: lower.path, at: target)
                break
            } catch let error as MountError {
                // Requests under way, or the run of the server before this one, may still hold it for a moment.
                guard error.number == EBUSY, attempt < 100 else { throw error }
                usleep(50_000)
            }
        }
        defer { TreeLayer.unmount(target) }
        return Open(try fileTree(target, source), image: lower)
    }

    /// Whether an older mount still uses the layer shows only when it is mounted: over its own image, nothing is changed.
    private func waitForEnd(of layer: TreeLayer) throws {
        guard layer.base != nil else { return }
        try layer.probe(at: "\(state.mounts)/probe")
    }

    /// A node's earlier private layers end when a later boot of it opens its own.
    private func dropLayers(of node: NodeName, but boot: BootIdentifier) {
        let folder = "\(state.trees)/\(node)"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name != boot.text {
            do { try TreeLayer("\(folder)/\(name)").remove() } catch {
                logger.warning("cannot remove an old layer", metadata: ["node": "\(node)", "error": "\(error)"])
            }
        }
    }
}

extension TreeSource {
    /// Whether it belongs to one node alone.
    var isOfOneNode: Bool { node != nil }

    /// The node that it belongs to alone; nil for what several use.
    var node: NodeName? {
        switch self {
        case .cow(_, let node, _), .keep(_, let node), .state(let node): node
        case .image, .imageFiles, .shared, .directory: nil
        }
    }

    /// Whether programs on the server itself change it: clients cannot be told of that.
    var isSharedWithServer: Bool { if case .directory = self { true } else { false } }

    /// What the writes of this tree belong to: of two trees with the same owner the older one is over.
    var owner: String? {
        switch self {
        case .cow(_, let node, _): "cow/\(node)"
        case .keep(_, let node): "keep/\(node)"
        default: nil
        }
    }

    fileprivate func isReplaced(by other: TreeSource) -> Bool { owner != nil && owner == other.owner && self != other }
}
