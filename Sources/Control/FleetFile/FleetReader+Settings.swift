import BootModel

extension FleetReader {
    /// The settings that profiles and nodes share.
    mutating func settings(_ keys: [String: YAMLValue]) -> Settings {
        var settings = Settings()
        for outer in Setting.outerKeys {
            guard let value = keys[outer] else { continue }
            let inside = Setting.inside(outer)
            if let setting = inside.first, setting.innerKey == nil {
                read(setting, value, into: &settings)
                continue
            }
            mark(outer, value)
            guard let innerKeys = self.keys(value, of: outer, known: inside.compactMap(\.innerKey)) else { continue }
            for setting in inside {
                if let key = setting.innerKey, let value = innerKeys[key] { read(setting, value, into: &settings) }
            }
        }
        return settings
    }

    private mutating func read(_ setting: Setting, _ value: YAMLValue, into settings: inout Settings) {
        let name = setting.innerKey ?? setting.key
        read(name, value, marks: setting.innerKey == nil) { value throws(SettingError) in
            try setting.read(value, into: &settings)
        }
    }

    /// Hands what stands under a key to `take`, and refuses what that throws at its place.
    mutating func read(
        _ name: String,
        _ value: YAMLValue,
        marks: Bool = true,
        _ take: (SettingValue) throws(SettingError) -> Void
    ) {
        if marks {
            if case .sequence(let elements) = value.content {
                for element in elements { mark(name, element) }
            } else {
                mark(name, value)
            }
        }
        do {
            try take(value.setting)
        } catch {
            refuse(error.text(under: name), at: value.position(of: error.path[...]))
        }
    }
}

extension YAMLValue {
    /// The value without its places.
    var setting: SettingValue {
        switch content {
        case .scalar(let text, let isPlain): .scalar(text, isPlain: isPlain)
        case .sequence(let elements): .list(elements.map(\.setting))
        case .mapping(let entries):
            // A key with nothing after it says nothing, as everywhere in the file.
            .keys(entries.filter { !$0.value.isNull }.map { SettingValue.Pair($0.key, $0.value.setting) })
        }
    }

    /// The place that a path leads to; of a path that leads nowhere, the last place that exists.
    func position(of path: ArraySlice<SettingError.Step>) -> TextPosition {
        guard let step = path.first else { return position }
        switch (step, content) {
        case (.index(let index), .sequence(let elements)) where elements.indices.contains(index):
            return elements[index].position(of: path.dropFirst())
        case (.key(let key), .mapping(let entries)):
            guard let entry = entries.last(where: { $0.key == key }) else { return position }
            return entry.value.position(of: path.dropFirst())
        case (.name(let key), .mapping(let entries)):
            return entries.last { $0.key == key }?.keyPosition ?? position
        default: return position
        }
    }
}
