/// Finds the known word that somebody most likely meant.
public enum NearestName {
    /// The candidate closest to `word`, or nil when none is close: at most a third of its letters differ, two at least.
    ///
    /// Of several that are as close it is the one that sorts first, in whatever order they come.
    public static func of(_ word: String, among candidates: some Sequence<String>) -> String? {
        let limit = max(2, word.count / 3)
        let folded = Array(word.lowercased().utf8.prefix(64))
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = Self.distance(folded, Array(candidate.lowercased().utf8.prefix(64)))
            guard distance <= limit, distance < candidate.utf8.count else { continue }
            if let best, (best.distance, best.name) <= (distance, candidate) { continue }
            best = (candidate, distance)
        }
        return best?.name
    }

    /// Edits (insert, delete, replace, swap of neighbours) from one word to the other: optimal string alignment.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var older: [Int] = []
        var above = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            current.reserveCapacity(right.count + 1)
            for (column, other) in right.enumerated() {
                var cost = min(above[column + 1] + 1, current[column] + 1, above[column] + (byte == other ? 0 : 1))
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    cost = min(cost, older[column - 1] + 1)
                }
                current.append(cost)
            }
            older = above
            above = current
        }
        return above[right.count]
    }
}
