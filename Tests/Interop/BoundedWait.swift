import Testing

extension Trait where Self == TimeLimitTrait {
    /// The limit of a test that talks to other programs.
    ///
    /// All of them count as begun at once, and as many as there are processors run at a time: a test's limit covers its
    /// turn too, so it is that of the whole run.
    static var boundedWait: Self { .timeLimit(.minutes(14)) }
}
