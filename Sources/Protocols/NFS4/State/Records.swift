import NetworkTypes

/// Who a request comes from, as far as state belongs to it.
public struct NFS4Principal: Hashable, Sendable {
    /// The RPC flavour.
    public var flavor: UInt32
    /// The user.
    public var user: UInt32

    /// A flavour and a user.
    public init(flavor: UInt32, user: UInt32) {
        self.flavor = flavor
        self.user = user
    }
}

/// Names a file for the tables of state: its export, and what stands for its handle.
public struct NFS4FileKey: Hashable, Sendable {
    /// The export's number.
    public var export: UInt64
    /// As good as unique in it.
    public var file: UInt64

    /// A file of an export.
    public init(export: UInt64, file: UInt64) {
        self.export = export
        self.file = file
    }
}

/// Where a client of version 4.0 listens for calls.
public struct NFS4CallbackPlace: Hashable, Sendable {
    /// The program number that it chose.
    public var program: UInt32
    /// The kind of address ("tcp").
    public var network: [UInt8]
    /// The address ("10.0.0.1.3.25").
    public var address: [UInt8]
    /// Repeated in each call.
    public var identifier: UInt32

    /// A place of these parts.
    public init(program: UInt32, network: [UInt8], address: [UInt8], identifier: UInt32) {
        self.program = program
        self.network = network
        self.address = address
        self.identifier = identifier
    }
}

/// What the server must do after a change of state.
public enum NFS4Action: Equatable, Sendable {
    /// Keep on stable storage that this client may reclaim, before anything else is answered.
    case record([UInt8])
    /// This client may reclaim no more.
    case erase([UInt8])
    /// Ask the holder of a delegation to give it back.
    case recall(NFS4Recall)
    /// Ask the holder of a delegation what its file is like.
    case inquire(NFS4Inquiry)
    /// Tell a client that waits for a lock that it may have it now.
    case notify(NFS4LockNotice)
    /// Find out whether calls reach this client of version 4.0.
    case probe(client: UInt64, NFS4CallbackPlace)
}

/// A delegation that is to be given back, and how its holder is reached.
public struct NFS4Recall: Hashable, Sendable {
    /// The holder.
    public var client: UInt64
    /// The delegation.
    public var stateid: NFS4Stateid
    /// Its file.
    public var file: NFS4FileKey
    /// What the client calls the file.
    public var handle: [UInt8]
    /// Whether its file is about to be cut to nothing.
    public var truncates: Bool
}

/// One client, as one run of it: all state hangs below it.
final class NFS4Client {
    let id: UInt64
    /// What it calls itself, behind a byte that tells minor version 0 from the others.
    let owner: [UInt8]
    var verifier: UInt64
    var principal: NFS4Principal
    /// Where it made itself known.
    let address: IPv4Address
    let hasSessions: Bool
    var isConfirmed = false
    var renewed: UInt64
    /// Whether its lease is over and its state stays only as long as nobody else needs it.
    var isCourtesy = false
    var isRecorded = false
    /// Whether it may claim what it had in an earlier run of the server.
    var mayReclaim = false
    var owners: [NFS4OwnerKey: NFS4Owner] = [:]
    var states: Set<UInt64> = []
    var delegationCount = 0
    /// Whether it has left a question unanswered since it was heard of on the way back.
    var isSilent = false

    // Version 4.0
    var confirmation: UInt64 = 0
    var callback: NFS4CallbackPlace?
    var isReachable = false
    /// The last probe of its callback place that was begun.
    var nextCallback: (confirmation: UInt64, place: NFS4CallbackPlace, principal: NFS4Principal)?

    // Version 4.1
    var createSequence: UInt32 = 0
    var createReply: NFS4CreateSessionReply?
    var sessions: Set<UInt64> = []
    var isReclaimComplete = false
    /// Delegations that were taken away and that it does not know of yet.
    var revokedCount = 0

    init(
        id: UInt64,
        owner: [UInt8],
        verifier: UInt64,
        principal: NFS4Principal,
        address: IPv4Address,
        hasSessions: Bool,
        now: UInt64
    ) {
        self.id = id
        self.owner = owner
        self.verifier = verifier
        self.principal = principal
        self.address = address
        self.hasSessions = hasSessions
        renewed = now
    }
}

struct NFS4OwnerKey: Hashable {
    var bytes: [UInt8]
    var isLock: Bool
}

/// An open owner or a lock owner.
final class NFS4Owner {
    unowned let client: NFS4Client
    let key: NFS4OwnerKey
    let number: UInt64
    var used: UInt64
    /// Version 4.0: the last number it used, and what it was answered.
    var sequence: UInt32 = 0
    var reply: [UInt8]?
    var isConfirmed = false
    /// States that hang on it.
    var states: Set<UInt64> = []
    /// A state that its last operation closed.
    var closed: UInt64?
    /// The number of the operation that closed it.
    var closedAt: UInt32 = 0
    var isBusy = false

    init(_ client: NFS4Client, _ key: NFS4OwnerKey, number: UInt64, now: UInt64) {
        self.client = client
        self.key = key
        self.number = number
        used = now
    }
}

final class NFS4File {
    let key: NFS4FileKey
    var opens: [NFS4Open] = []
    var ranges: [NFS4Range] = []
    var delegations: [NFS4Delegation] = []
    /// What clients call it.
    var handle: [UInt8] = []

    init(_ key: NFS4FileKey) { self.key = key }
    var isIdle: Bool { opens.isEmpty && delegations.isEmpty }
}

final class NFS4Open {
    let number: UInt64
    var sequence: UInt32 = 0
    let owner: NFS4Owner
    let file: NFS4File
    var access: UInt32
    var deny: UInt32
    /// Which values of access and deny were asked for, as bits.
    var accessAsked: UInt32
    var denyAsked: UInt32
    var locks: [NFS4LockState] = []
    /// What the server keeps beside it: the open file.
    var attachment: (any AnyObject & Sendable)?

    init(_ number: UInt64, _ owner: NFS4Owner, _ file: NFS4File, access: UInt32, deny: UInt32) {
        self.number = number
        self.owner = owner
        self.file = file
        self.access = access
        self.deny = deny
        accessAsked = 1 << access
        denyAsked = 1 << deny
    }
}

final class NFS4LockState {
    let number: UInt64
    var sequence: UInt32 = 0
    let owner: NFS4Owner
    unowned let open: NFS4Open

    init(_ number: UInt64, _ owner: NFS4Owner, _ open: NFS4Open) {
        self.number = number
        self.owner = owner
        self.open = open
    }
}

/// Locked bytes; `last` is included.
struct NFS4Range {
    var first: UInt64
    var last: UInt64
    var isWrite: Bool
    var state: NFS4LockState
}

final class NFS4Delegation {
    let number: UInt64
    let client: NFS4Client
    let file: NFS4File
    let isWrite: Bool
    var sequence: UInt32 = 1
    var recalled: UInt64?
    var isRevoked = false
    var attachment: (any AnyObject & Sendable)?
    /// Whether its holder keeps the times of the file (RFC 9754, section 5).
    let keepsTimes: Bool
    /// The change attribute of the file when it was given.
    let change: UInt64
    /// The newest one that others were told since.
    var told: UInt64
    /// What its holder is being asked.
    var inquiry: NFS4Inquiry?
    /// Its last answer, and to which question.
    var answer: (number: UInt64, attributes: NFS4HeldAttributes)?

    init(
        _ number: UInt64,
        _ client: NFS4Client,
        _ file: NFS4File,
        isWrite: Bool,
        keepsTimes: Bool = false,
        change: UInt64 = 0
    ) {
        self.number = number
        self.client = client
        self.file = file
        self.isWrite = isWrite
        self.keepsTimes = keepsTimes
        self.change = change
        told = change
    }
}

enum NFS4Entry {
    case open(NFS4Open)
    case lock(NFS4LockState)
    case delegation(NFS4Delegation)
    /// Closed by the last operation of its owner, which may come again.
    case closed(NFS4Owner)
}
