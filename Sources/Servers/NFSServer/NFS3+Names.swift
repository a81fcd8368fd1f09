import FileTree
import NFS3
import XDR

extension Conversation {
    mutating func remove(_ reader: inout XDRReader, _ writer: inout XDRWriter, isDirectory: Bool) throws {
        let call = try NFS3Name(decoding: &reader)
        let (context, directory) = try resolveToChange(call.directory)
        let name = try FileName(call.name)
        try recallNamed(name, context, directory)
        directory.lockChanges()
        defer { directory.unlockChanges() }
        let before = NFS3Attributes(try directory.attributes(), context)
        try context.tree.remove(name, isDirectory: isDirectory, in: directory, as: context.caller, on: &thread)
        try promise(directory, context)
        writer.write(NFS3Status.ok.rawValue)
        try change(before, directory, context, &writer)
    }

    mutating func rename(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3RenameCall(decoding: &reader)
        let (context, directory) = try resolveToChange(call.from.directory)
        let (otherContext, other) = try resolveToChange(call.to.directory)
        guard context.tree === otherContext.tree else { throw NFS3Failure(.crossDevice) }
        let (name, newName) = (try FileName(call.from.name), try FileName(call.to.name))
        try recallNamed(name, context, directory)
        try recallNamed(newName, otherContext, other)
        TreeObject.lockChanges(directory, other)
        defer { TreeObject.unlockChanges(directory, other) }
        let before = NFS3Attributes(try directory.attributes(), context)
        let otherBefore = NFS3Attributes(try other.attributes(), context)
        try context.tree.rename(
            name,
            in: directory,
            to: newName,
            in: other,
            as: context.caller,
            on: &thread
        )
        try promise(directory, context)
        try promise(other, context)
        writer.write(NFS3Status.ok.rawValue)
        try change(before, directory, context, &writer)
        try change(otherBefore, other, context, &writer)
    }

    mutating func link(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3LinkCall(decoding: &reader)
        let (context, object) = try resolveToChange(call.handle)
        let (otherContext, directory) = try resolveToChange(call.place.directory)
        guard context.tree === otherContext.tree else { throw NFS3Failure(.crossDevice) }
        let name = try FileName(call.place.name)
        directory.lockChanges()
        defer { directory.unlockChanges() }
        let before = NFS3Attributes(try directory.attributes(), context)
        try context.tree.link(object, as: name, in: directory, as: context.caller, on: &thread)
        try promise(directory, context)
        try promise(object, context)
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes.encode(NFS3Attributes(try object.attributes(), context), into: &writer)
        try change(before, directory, context, &writer)
    }

    private func change(
        _ before: NFS3Attributes,
        _ directory: TreeObject,
        _ context: ExportContext,
        _ writer: inout XDRWriter
    ) throws {
        let after = NFS3Attributes(try directory.attributes(), context)
        NFS3BeforeChange.encode(before: before.beforeChange, after: after, into: &writer)
    }
}
