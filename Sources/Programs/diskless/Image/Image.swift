import ArgumentParser

/// `diskless image`: the life of an image.
struct Image: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Build and look after the images that nodes run.",
        discussion: "An image has versions that never change: 'debian' is the newest one, 'debian@7' is that one.",
        subcommands: [
            ImageBuild.self, ImageList.self, ImageShow.self, ImageCheck.self, ImageTagCommand.self, ImageRemove.self,
        ]
    )
}
