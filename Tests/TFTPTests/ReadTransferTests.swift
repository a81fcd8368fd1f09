import TFTP
import Testing

@Suite struct ReadTransferTests {
    private func transfer(_ size: UInt64, block: Int = 512, window: Int = 1, options: [TFTPOption] = []) -> ReadTransfer
    {
        var settled = TransferOptions()
        settled.blockSize = block
        settled.windowSize = window
        settled.granted = options
        return ReadTransfer(size: size, options: settled, now: 1)
    }

    @Test func lockStepWithoutOptions() {
        var read = transfer(1000)
        #expect(read.start(now: 1) == .sendBlocks(1...1))
        #expect(read.received(acknowledgement: 1, now: 2) == .sendBlocks(2...2))
        #expect(read.bytes(of: 2) == 512..<1000)
        #expect(read.received(acknowledgement: 2, now: 3) == .end(.complete))
        #expect(read.acknowledgedBytes == 1000)
    }

    @Test(arguments: [(0, 1), (511, 1), (512, 2), (513, 2), (1024, 3)] as [(UInt64, UInt64)])
    func theLastBlockIsShort(size: UInt64, blocks: UInt64) {
        let read = transfer(size)
        #expect(read.blockCount == blocks)
        #expect(read.bytes(of: blocks).count < 512)
    }

    @Test func optionsWaitForTheirAcknowledgement() {
        var read = transfer(10, options: [.init(.transferSize, "10")])
        #expect(read.start(now: 1) == .sendOptions)
        #expect(read.received(acknowledgement: 1, now: 2) == .wait)
        #expect(read.received(acknowledgement: 0, now: 2) == .sendBlocks(1...1))
    }

    @Test func aClientThatWantedTheSizeIsNoFault() {
        var read = transfer(10, options: [.init(.transferSize, "10")])
        _ = read.start(now: 1)
        #expect(read.received(error: .notDefined, "TFTP Aborted") == .end(.probed))
        #expect(read.received(acknowledgement: 0, now: 2) == .wait)
        var later = transfer(10_000)
        _ = later.start(now: 1)
        for block in 1...4 { _ = later.received(acknowledgement: UInt16(block), now: 2) }
        #expect(later.received(error: .diskFull, "x") == .end(.aborted(.diskFull, "x")))
    }

    @Test func duplicateAcknowledgementsNeverResendInLockStep() {
        var read = transfer(5000)
        _ = read.start(now: 1)
        #expect(read.received(acknowledgement: 1, now: 2) == .sendBlocks(2...2))
        for _ in 0..<5 { #expect(read.received(acknowledgement: 1, now: 3) == .wait) }
        #expect(read.received(acknowledgement: 0, now: 3) == .wait)
        #expect(read.received(acknowledgement: 3, now: 3) == .wait, "not sent yet")
    }

    @Test func aGapRewindsToTheAcknowledgedBlock() {
        var read = transfer(512 * 40, window: 16)
        #expect(read.start(now: 1) == .sendBlocks(1...16))
        #expect(read.received(acknowledgement: 8, now: 2) == .sendBlocks(9...24))
        #expect(read.received(acknowledgement: 8, now: 2) == .wait, "the client repeats itself for every later block")
        #expect(read.received(acknowledgement: 24, now: 3) == .sendBlocks(25...40))
    }

    @Test func aLostFirstBlockOfAWindowRewindsOnce() {
        var read = transfer(512 * 80, window: 16)
        _ = read.start(now: 1)
        #expect(read.received(acknowledgement: 16, now: 2) == .sendBlocks(17...32))
        #expect(read.received(acknowledgement: 16, now: 3) == .sendBlocks(17...32))
        #expect(read.received(acknowledgement: 16, now: 3) == .wait)
        #expect(read.received(acknowledgement: 32, now: 4) == .sendBlocks(33...48))
        #expect(read.received(acknowledgement: 32, now: 4) == .wait, "the rewound blocks have arrived twice")
        #expect(read.received(acknowledgement: 48, now: 5) == .sendBlocks(49...64))
        #expect(read.received(acknowledgement: 48, now: 6) == .sendBlocks(49...64))
    }

    @Test func silenceResendsWithGrowingPausesThenEnds() {
        var read = transfer(5000)
        _ = read.start(now: 0)
        _ = read.received(acknowledgement: 1, now: 1_000_000_000)
        var pauses: [UInt64] = []
        for _ in 0..<ReadTransfer.patience {
            let due = read.deadline
            #expect(read.timedOut(now: due) == .sendBlocks(2...2))
            pauses.append((read.deadline - due) / 1_000_000_000)
        }
        #expect(pauses == [2, 4, 8, 9, 9, 9])
        #expect(read.timedOut(now: read.deadline) == .end(.timedOut))
        #expect(read.timedOut(now: read.deadline) == .wait)
    }

    /// A request with a made-up sender, also with the longest `timeout`, holds its place for less than a minute.
    @Test(arguments: [nil, 1, 8, 255]) func aStrangerIsGivenUpSoon(timeout: Int?) {
        var options = TransferOptions()
        options.timeout = timeout
        var read = ReadTransfer(size: 5000, options: options, now: 0)
        _ = read.start(now: 0)
        for _ in 0..<ReadTransfer.patienceWithStrangers {
            #expect(read.timedOut(now: read.deadline) == .sendBlocks(1...1))
        }
        #expect(read.timedOut(now: read.deadline) == .end(.timedOut))
        #expect(read.deadline < 60_000_000_000)
    }

    @Test func theClientsTimeoutIsKept() {
        var options = TransferOptions()
        options.timeout = 5
        let read = ReadTransfer(size: 1, options: options, now: 100)
        #expect(read.deadline == 100 + 5_000_000_000)
    }

    @Test func blockNumbersWrapToZero() {
        var read = transfer(8 * 70_000, block: 8, window: 1000)
        var action = read.start(now: 1)
        var steps = 0
        while case .sendBlocks(let blocks) = action, steps < 1000 {
            steps += 1
            action = read.received(acknowledgement: UInt16(truncatingIfNeeded: blocks.upperBound), now: 2)
        }
        #expect(action == .end(.complete))
        #expect(read.acknowledged == 70_001)
    }

    /// A client that counts 65535, 1, 2: it drops block 0 and falls silent.
    @Test func blockNumbersMayWrapToOne() {
        var read = transfer(8 * 140_000, block: 8, window: 1)
        var action = read.start(now: 1)
        var expected: UInt64 = 1
        var silences = 0
        var steps = 0
        while case .sendBlocks(let blocks) = action, steps < 200_000 {
            steps += 1
            let wanted = UInt16((expected - 1) % 65535 + 1)
            if read.wireNumber(of: blocks.lowerBound) == wanted {
                expected += 1
                action = read.received(acknowledgement: wanted, now: 2)
            } else {
                silences += 1
                action = read.timedOut(now: read.deadline)
            }
        }
        #expect(action == .end(.complete))
        #expect(expected == 140_002)
        #expect(silences == 1)
    }

    /// A lossy link in both directions, on a clock that the test moves.
    @Test(arguments: [1, 4, 16, 64]) func arrivesWholeUnderLoss(window: Int) {
        var random = SplitMix(state: UInt64(window))
        var read = transfer(8 * 3000 + 5, block: 8, window: window)
        var now: UInt64 = 1
        var next: UInt64 = 1
        var pending: [ReadTransfer.Action] = [read.start(now: now)]
        var steps = 0
        while let action = pending.popLast(), steps < 100_000 {
            steps += 1
            switch action {
            case .end(let outcome):
                #expect(outcome == .complete)
                #expect(next == read.blockCount + 1)
                return
            case .sendBlocks(let blocks):
                var acknowledgement: UInt64?
                var gapTold = false
                for block in blocks where random.next() % 10 != 0 {
                    if block == next {
                        next += 1
                        if block == blocks.upperBound { acknowledgement = block }
                    } else if block > next, !gapTold {
                        gapTold = true
                        acknowledgement = next - 1
                    } else if block == blocks.upperBound {
                        acknowledgement = next - 1
                    }
                }
                now += 1_000_000
                if let acknowledgement, random.next() % 10 != 0 {
                    pending.append(
                        read.received(acknowledgement: UInt16(truncatingIfNeeded: acknowledgement), now: now)
                    )
                } else {
                    pending.append(.wait)
                }
            case .wait, .sendOptions:
                now = read.deadline
                pending.append(read.timedOut(now: now))
            }
        }
        Issue.record("no end after \(steps) steps")
    }

    @Test func anyOrderOfEventsEnds() {
        var random = SplitMix(state: 3)
        for _ in 0..<500 {
            var read = transfer(random.next() % 5000, block: 8, window: Int(random.next() % 70) + 1)
            _ = read.start(now: 1)
            for step in 0..<200 {
                let now = UInt64(step) * 1_000_000
                let action =
                    random.next() % 5 == 0
                    ? read.timedOut(now: now)
                    : read.received(acknowledgement: UInt16(truncatingIfNeeded: random.next() % 700), now: now)
                if case .sendBlocks(let blocks) = action {
                    #expect(blocks.upperBound <= read.blockCount)
                    #expect(blocks.count <= read.options.windowSize)
                }
            }
        }
    }
}
