# shellcheck shell=bash
# Captures, and what an experiment expects to see. Sourced by lab/lib.sh.
# shellcheck disable=SC2154  # lab_hosts and lab_kernel are lib.sh's

# capture NAME HOST DEVICE [OPTION...] FILTER: starts tcpdump, and returns when it listens.
#
# What goes to port 4789 is VXLAN, but tcpdump goes by the source port first, and takes 49152 for a Broadcom protocol:
# with -T vxlan it does not. Then it takes every inner UDP packet for VXLAN, too.
capture() {
  local name=$1 host=$2 device=$3 options=("${@:4:$#-4}") filter=${!#}
  echo "$host# $(typed tcpdump -i "$device" -e -n "${options[@]}" "$filter") &"
  echo "${options[*]}" >"$LAB_DIR/$name.options"
  become_in_host "$host" tcpdump -i "$device" -U --immediate-mode -w "$LAB_DIR/$name.pcap" "$filter" \
    2>"$LAB_DIR/$name.tcpdump" &
  remember_process $! captures
  wait_until "tcpdump listens on $host's $device" grep -q 'listening on' "$LAB_DIR/$name.tcpdump"
}

# packets NAME [FILTER]: what was captured so far. An encapsulated packet takes two lines, as tcpdump prints it.
packets() { decoded "$1" -t "${@:2}"; }

# decoded NAME [OPTION...] [FILTER]
decoded() {
  local options
  read -ra options <"$LAB_DIR/$1.options"
  tcpdump -r "$LAB_DIR/$1.pcap" -e -n "${options[@]}" "${@:2}" 2>/dev/null
}

# How many packets of the capture pass the filter.
count() { tcpdump -r "$LAB_DIR/$1.pcap" -n --count "$2" 2>/dev/null | grep -o '^[0-9]*'; }

captured() { (($(count "$1" '') >= $2)); }

# Wait until N packets are in the capture.
await_packets() { wait_until "the capture '$1' holds $2 packets" captured "$1" "$2"; }

# show_capture NAME: what tcpdump printed so far.
show_capture() { decoded "$1"; }

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

# expect_one_port_per_flow NAME [FILTER]: packets with the same inner addresses and protocol share one outer source
# port.
expect_one_port_per_flow() {
  local split
  split=$(packets "$@" | paste -d ' ' - - | awk '
    { port = $0; sub(/ > [0-9.]+\.4789: VXLAN.*/, "", port); sub(/.*\./, "", port)
      flow = $0; sub(/.*, vni [0-9]+ /, "", flow); sub(/, length [0-9]+: /, " ", flow)
      sub(/(Request|Reply).*/, "", flow); sub(/: .*/, "", flow)
      if (flow in ports && ports[flow] != port) print flow " came from " ports[flow] " and from " port
      ports[flow] = port }')
  [[ -z $split ]] || fail "one source port per flow" "$split"
}

# expect_port_range NAME: outer source ports lie where RFC 7348 section 5 recommends; the kernel's driver uses the
# range of its host's local ports instead.
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
  seen=$(count "$1" "$3")
  ((seen == $2)) || fail "$2 packets '$3' in the capture '$1'" "$seen"
}

some_packet() { (($(count "$1" "$2") > 0)); }

# await_packet NAME FILTER: until a packet of the capture passes the filter.
await_packet() { wait_until "the capture '$1' holds a packet '$2'" some_packet "$1" "$2"; }

report_seen() {
  tcpdump -r "$LAB_DIR/$1.pcap" -n -v "igmp and src host $2" 2>/dev/null | grep -q "igmp .*$3"
}

# await_report NAME HOST GROUP: until the capture holds HOST's IGMP report for GROUP.
await_report() {
  wait_until "the capture '$1' holds $2's IGMP report for $3" report_seen "$1" "$2" "$3"
  tcpdump -r "$LAB_DIR/$1.pcap" -n -v "igmp and src host $2" 2>/dev/null | head -n 2
}
