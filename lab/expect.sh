# shellcheck shell=bash
# Captures, and what an experiment expects to see. Sourced by lab/lib.sh.
# shellcheck disable=SC2154  # lab_hosts and lab_kernel are lib.sh's

# capture NAME HOST DEVICE FILTER: starts tcpdump, and returns when it listens.
capture() {
  local name=$1 host=$2 device=$3 filter=$4
  echo "$host# $(typed tcpdump -i "$device" -e -n "$filter") &"
  become_in_host "$host" tcpdump -i "$device" -U --immediate-mode -w "$LAB_DIR/$name.pcap" "$filter" \
    2>"$LAB_DIR/$name.tcpdump" &
  remember_process $! captures
  wait_until "tcpdump listens on $host's $device" grep -q 'listening on' "$LAB_DIR/$name.tcpdump"
}

# packets NAME [FILTER]: what was captured so far. An encapsulated packet takes two lines, as tcpdump prints it.
packets() { tcpdump -r "$LAB_DIR/$1.pcap" -e -n -t "${@:2}" 2>/dev/null; }

captured() { (($(tcpdump -r "$LAB_DIR/$1.pcap" -n --count 2>/dev/null | grep -o '^[0-9]*') >= $2)); }

# Wait until N packets are in the capture.
await_packets() { wait_until "the capture '$1' holds $2 packets" captured "$1" "$2"; }

# show_capture NAME: what tcpdump printed so far.
show_capture() { tcpdump -r "$LAB_DIR/$1.pcap" -e -n 2>/dev/null; }

# Replaces what differs from run to run: MAC addresses by HOST.DEVICE, source ports by PORT, ICMP ids by ID.
named() {
  local host script='s/(\.)[0-9]+ > ([0-9.]+\.4789: VXLAN)/\1PORT > \2/; s/id [0-9]+, seq/id ID, seq/'
  for host in "${lab_hosts[@]}"; do
    script+="; s/$(mac_of "$host" "${DEVICE[$host]}")/$host.${DEVICE[$host]}/g"
    script+="; s/$(mac_of "$host" vxlan0)/$host.vxlan0/g"
  done
  script+="; s/$(mac_of gw r1)/gw.r1/g"
  if [[ " ${lab_hosts[*]} " == *' S8 '* ]]; then script+="; s/$(mac_of gw r2)/gw.r2/g"; fi
  sed -E "$script"
}

# expect_capture NAME [FILTER] <<EXPECTED: the capture holds these packets, in this order, and no others.
expect_capture() {
  local expected seen
  expected=$(cat)
  seen=$(packets "$@" | named)
  [[ $seen == "$expected" ]] || fail "in the capture '$1' exactly
$expected" "(< expected, > seen)
$(diff <(echo "$expected") <(echo "$seen") || true)"
}

# expect_output TEXT: the command just shown printed exactly this, in any order of lines.
expect_output() {
  [[ $(sort <<<"$OUT" | sed 's/ *$//') == "$(sort <<<"$1" | sed 's/ *$//')" ]] || fail "exactly
$1" "
$OUT"
}

# expect_words TEXT: what it printed contains this.
expect_words() { [[ $OUT == *"$1"* ]] || fail "the words '$1'" "
$OUT"; }

# expect_one_port_per_flow NAME: packets with the same inner addresses and protocol share one outer source
# port.
expect_one_port_per_flow() {
  local split
  split=$(joined "$1" | awk '
    { port = $0; sub(/ > [0-9.]+\.4789: VXLAN.*/, "", port); sub(/.*\./, "", port)
      flow = $0; sub(/.*, vni [0-9]+ /, "", flow); sub(/, length [0-9]+: /, " ", flow)
      sub(/(Request|Reply).*/, "", flow); sub(/: .*/, "", flow)
      if (flow in ports && ports[flow] != port) print flow " came from " ports[flow] " and from " port
      ports[flow] = port }')
  [[ -z $split ]] || fail "one source port per flow" "$split"
}

# expect_port_range NAME: outer source ports lie where RFC 7348 section 5 recommends; the kernel's driver uses the range of
# its host's local ports instead.
expect_port_range() {
  local source port low high host
  while read -r source; do
    port=${source##*.}
    low=49152 high=65535
    for host in "${!lab_kernel[@]}"; do
      [[ ${source%.*} != "${ADDRESS[$host]}" ]] ||
        read -r low high < <(in_host "$host" sysctl -n net.ipv4.ip_local_port_range)
    done
    ((port >= low && port <= high)) || fail "source ports from $low to $high" "$source"
  done < <(packets "$1" | grep -o '[0-9.]* > [0-9.]*\.4789: VXLAN' | cut -d ' ' -f 1)
}

# expect_count NAME N FILTER: so many packets of the capture pass the filter.
expect_count() {
  local seen
  seen=$(tcpdump -r "$LAB_DIR/$1.pcap" -n --count "$3" 2>/dev/null | grep -o '^[0-9]*')
  ((seen == $2)) || fail "$2 packets '$3' in the capture '$1'" "$seen"
}

# Each encapsulated packet of the capture on one line, the outer part first.
joined() { packets "$1" 'udp port 4789' | paste -d ' ' - -; }

inner_seen() { joined "$1" | grep -q "$2"; }

# await_inner NAME PATTERN: until an encapsulated packet looks like this (a basic regular expression).
await_inner() { wait_until "the capture '$1' holds '$2'" inner_seen "$1" "$2"; }

# expect_inner NAME LENGTH PATTERN: such a packet was captured, so many bytes long on the outside.
expect_inner() {
  joined "$1" | grep "$3" | grep -q "ethertype IPv4 (0x0800), length $2: 10\." ||
    fail "in the capture '$1' a packet of $2 bytes with '$3' inside" "
$(joined "$1")"
}

report_seen() {
  tcpdump -r "$LAB_DIR/$1.pcap" -n -v "igmp and src host $2" 2>/dev/null | grep -q "igmp .*$3"
}

# await_report NAME HOST GROUP: until the capture holds HOST's IGMP report for GROUP.
await_report() {
  wait_until "the capture '$1' holds $2's IGMP report for $3" report_seen "$1" "$2" "$3"
  tcpdump -r "$LAB_DIR/$1.pcap" -n -v "igmp and src host $2" 2>/dev/null | head -n 2
}
