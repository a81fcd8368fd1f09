import CLinux

extension FileTree {
    /// Sets attributes, as the caller.
    ///
    /// In an order in which none undoes another: the size, then the owner (which takes setuid away), the mode, the times.
    package func set(
        _ new: NewAttributes,
        of object: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        let pin = object.pin.number
        if let size = new.size {
            guard let length = off_t(exactly: size) else { throw TreeError(EFBIG) }
            let writer = try writer(of: object, as: caller, try object.attributes(), on: &thread)
            try thread.become(caller)
            try checked(ftruncate(writer.number, length))
        }
        try thread.become(caller)
        if new.user != nil || new.group != nil {
            let result = unsafe fchownat(pin, "", new.user ?? uid_t.max, new.group ?? gid_t.max, AT_EMPTY_PATH)
            try checked(result)
        }
        if let mode = new.mode {
            // Linux has no modes of links.
            if object.kind != .symbolicLink { try checked(clinux_change_mode(pin, mode & 0o7777)) }
        }
        if new.accessed != nil || new.modified != nil {
            let times = [Self.time(new.accessed), Self.time(new.modified)]
            try checked(unsafe utimensat(pin, "", times, AT_EMPTY_PATH))
        }
    }

    private static func time(_ time: NewAttributes.Time?) -> timespec {
        switch time {
        case nil: timespec(tv_sec: 0, tv_nsec: clinux_time_omitted())
        case .now: timespec(tv_sec: 0, tv_nsec: clinux_time_now())
        case .given(let time): timespec(tv_sec: time.seconds, tv_nsec: time.nanoseconds)
        }
    }
}
