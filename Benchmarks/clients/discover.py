"""discover.py SERVER RELAY NODES COUNT: sends DISCOVERs of known machines as a relay agent, each after the offer before.

Prints the median and the 99th percentile of the time to the offer, in microseconds."""
import socket, struct, sys, time

server, relay, nodes, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind((relay, 67))
wire.settimeout(5)
options = bytes([99, 130, 83, 99, 53, 1, 1, 93, 2, 0, 0, 60, 32]) + b"PXEClient:Arch:00000:UNDI:002001" \
    + bytes([97, 17]) + bytes(17) + bytes([55, 4, 1, 3, 66, 67, 255])
times = []
for turn in range(count):
    number = turn * 7919 % nodes
    mac = bytes([0x52, 0x54, 1, 0, number >> 8, number & 255])
    packet = struct.pack("!BBBBI4x12s4s", 1, 1, 6, 1, turn, bytes(12), socket.inet_aton(relay)) + mac + bytes(202) + options
    begin = time.perf_counter()
    wire.sendto(packet, (server, 67))
    while True:
        reply = wire.recv(2048)
        if struct.unpack("!I", reply[4:8])[0] == turn:
            break
    times.append((time.perf_counter() - begin) * 1e6)
    if reply[28:34] != mac or b"undionly.kpxe" not in reply:
        sys.exit(f"no boot file for node {number}")
times.sort()
print(f"median_us={times[len(times) // 2]:.1f} p99_us={times[len(times) * 99 // 100]:.1f} offers={len(times)}")
