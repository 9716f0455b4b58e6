# shellcheck shell=bash
# Shared by the experiments: the network of the write-up, its hosts, and commands that are shown as they run.
# Captures and expectations are in expect.sh, what is left behind and removed in state.sh.
#
# lab/run sets LAB_BIN (where vtepd and vtep are), LAB_PEER (empty, or kernel[:HOST]) and LAB_KEEP.
set -euo pipefail

lab_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab_experiment=$(basename "$0")
[[ -n ${LAB_BIN:-} ]] || exec "$lab_here/run" "$lab_experiment" "$@"
# shellcheck source=state.sh
source "$lab_here/state.sh"
# shellcheck source=expect.sh
source "$lab_here/expect.sh"

# The underlay side of each host, as in the write-up.
declare -A DEVICE=([S20]=eno1 [S3]=eno2 [S8]=eno2)
declare -A ADDRESS=([S20]=10.138.36.66 [S3]=10.138.36.58 [S8]=10.138.10.161)
declare -A GATEWAY=([S20]=10.138.36.1 [S3]=10.138.36.1 [S8]=10.138.10.1)

declare -A lab_kernel=() # hosts whose tunnel endpoint is the kernel's driver
lab_hosts=()             # hosts that take part
OUT=''                   # what the last command shown by `on` printed

if [[ -t 1 ]]; then lab_bold=$'\e[1m' lab_plain=$'\e[0m'; else lab_bold='' lab_plain=''; fi

say() { printf '\n%s%s%s\n' "$lab_bold" "$1" "$lab_plain"; }

# fail WHAT-WAS-EXPECTED WHAT-WAS-SEEN
fail() {
  printf '\n%s: expected %s\n%s\n' "$lab_experiment" "$1" "but saw ${2:-nothing}" >&2
  local log
  for log in "$LAB_DIR"/*.log; do
    if [[ -s $log ]]; then printf '\nlast lines of %s:\n%s\n' "$(basename "$log")" "$(tail -n 8 "$log")" >&2; fi
  done
  exit 1
}

# wait_until WHAT COMMAND...: until the command succeeds, at most ten seconds, or $patience.
wait_until() {
  local what=$1 deadline=$((SECONDS + ${patience:-10}))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "within ${patience:-10} seconds that $what" "that it does not"
    sleep 0.05
  done
}

# --- commands on hosts ---------------------------------------------------------------------------------------

# Replaces this (sub)shell by the command, and lets go of the lab's lock: who stays does not hold it.
become_in_host() {
  local host=$1
  shift
  VTEP_SOCKET=$LAB_DIR/$host.sock PATH=$LAB_BIN:$PATH exec ip netns exec "$LAB_PREFIX$host" "$@" 9>&-
}

in_host() { (become_in_host "$@"); }

# Prints words as they would be typed.
typed() {
  local word line=''
  for word in "$@"; do
    [[ $word =~ ^[][A-Za-z0-9_./:=,@%+-]+$ ]] || word="'$word'"
    line+=" $word"
  done
  echo "${line# }"
}

# The same words mean the same to the kernel's driver, said to another command.
spoken_by() {
  local host=$1
  shift
  if [[ -n ${lab_kernel[$host]:-} ]]; then
    case "$1 $2" in
      'vtep link') shift && set -- ip "$@" ;;
      'vtep fdb') shift && set -- bridge "$@" ;;
    esac
  fi
  words=("$@")
}

# on HOST COMMAND...: shows the command and its output, which stays in OUT. A command that fails ends the experiment.
on() {
  local host=$1 words status=0
  shift
  spoken_by "$host" "$@"
  echo "$host# $(typed "${words[@]}")"
  OUT=$(in_host "$host" "${words[@]}" 2>&1) || status=$?
  [[ -z $OUT ]] || printf '%s\n' "$OUT"
  ((status == 0)) || fail "that command to succeed" "exit status $status"
}

# The same, and the command stays in the background, with its output in a file.
start_on() {
  local host=$1 log=$2
  shift 2
  echo "$host# $(typed "$@") &"
  become_in_host "$host" "$@" >"$LAB_DIR/$log" 2>&1 &
  remember_process $! processes
}

mac_of() { in_host "$1" cat "/sys/class/net/$2/address"; }

# A host checks five seconds after it has used an address whether it is still right; here after one second, so that
# nobody has to wait for the last two packets of the write-up's capture.
probe_neighbours_soon() {
  local host
  for host in "$@"; do in_host "$host" sysctl -qw net.ipv4.neigh.vxlan0.delay_first_probe_time=1; done
}

# --- the network ---------------------------------------------------------------------------------------------

make_namespace() {
  ip netns add "$LAB_PREFIX$1"
  # Router solicitations and MLD reports are noise where an experiment counts packets.
  in_host "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$LAB_PREFIX$1" link set lo up
}

# wire A A-DEVICE B B-DEVICE: a cable between two namespaces.
wire() {
  ip -n "$LAB_PREFIX$1" link add "$2" type veth peer name "$4" netns "$LAB_PREFIX$3"
  ip -n "$LAB_PREFIX$1" link set "$2" up
  ip -n "$LAB_PREFIX$3" link set "$4" up
}

# The segment 10.138.36.0/23 (a switch, lan), the gateway (gw, r1 there and r2 here) and 10.138.10.0/23.
make_gateway() {
  make_namespace lan
  ip -n "${LAB_PREFIX}lan" link add segment type bridge mcast_snooping 0
  ip -n "${LAB_PREFIX}lan" link set segment up
  make_namespace gw
  wire gw r1 lan to-gw
  ip -n "${LAB_PREFIX}lan" link set to-gw master segment
  ip -n "${LAB_PREFIX}gw" addr add 10.138.36.1/23 dev r1
  in_host gw sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

make_host() {
  local host=$1 dev=${DEVICE[$1]}
  make_namespace "$host"
  if [[ $host == S8 ]]; then
    wire S8 "$dev" gw r2
    ip -n "${LAB_PREFIX}gw" addr add 10.138.10.1/23 dev r2
  else
    wire "$host" "$dev" lan "to-$host"
    ip -n "${LAB_PREFIX}lan" link set "to-$host" master segment
  fi
  ip -n "$LAB_PREFIX$host" addr add "${ADDRESS[$host]}/23" dev "$dev"
  ip -n "$LAB_PREFIX$host" route add default via "${GATEWAY[$host]}"
}

# start_etcd: on the gateway, at $etcd_at; commands to it are "${etcdctl_words[@]}".
etcd_at=http://10.138.36.1:2379
etcdctl_words=(env ETCDCTL_API=3 etcdctl --endpoints "$etcd_at")
start_etcd() {
  start_on gw etcd.log env ETCD_LOGGER=zap etcd --data-dir "$LAB_DIR/etcd" --listen-client-urls "$etcd_at" \
    --advertise-client-urls "$etcd_at" --listen-peer-urls http://127.0.0.1:2380 \
    --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380
  wait_until "etcd answers" in_host gw "${etcdctl_words[@]}" endpoint health
}

# With the configuration that the experiment has written for it, if any.
start_daemon() {
  local config=()
  if [[ -e $LAB_DIR/$1.yaml ]]; then config=(--config "$LAB_DIR/$1.yaml"); fi
  start_on "$1" "$1.log" vtepd --socket "$LAB_DIR/$1.sock" "${config[@]}"
  wait_until "the vtepd of $1 answers" in_host "$1" vtep link show
}

# Which hosts LAB_PEER hands to the kernel's driver.
choose_kernel_hosts() {
  local wanted=${LAB_PEER#kernel} host
  [[ -n $LAB_PEER ]] || return 0
  wanted=${wanted#:}
  if [[ -z $wanted ]]; then
    wanted=S8
    [[ " $* " == *' S3 '* ]] && wanted=S3
  fi
  [[ $wanted == all ]] && wanted=$*
  for host in ${wanted//,/ }; do
    if [[ " $* " != *" $host "* ]]; then
      echo "lab/run: --peer $LAB_PEER: no host $host in this experiment; there are: $*" >&2
      exit 1
    fi
    lab_kernel[$host]=1
  done
}

# hosts NAME...: makes the network and the hosts that take part, and starts their daemons.
hosts() {
  local host
  lab_hosts=("$@")
  choose_kernel_hosts "$@"
  make_gateway
  for host in "$@"; do make_host "$host"; done
  for host in "$@"; do
    # Also proves the cables, and fills the neighbour tables, so that no ARP of the underlay is in the way.
    [[ $host == "$1" ]] || in_host "$1" ping -q -c 1 -W 5 "${ADDRESS[$host]}" >/dev/null ||
      fail "that $1 reaches $host on the underlay" "no answer"
  done
  for host in "$@"; do
    if [[ -n ${lab_kernel[$host]:-} ]]; then
      echo "($host is the kernel's vxlan driver)"
    else
      start_daemon "$host"
    fi
  done
}

# --- the end -------------------------------------------------------------------------------------------------

lab_finish() {
  local status=$? host
  trap - EXIT
  trap '' INT TERM HUP
  if ((status == 0)); then say "$lab_experiment: everything was as it should be."; fi
  if [[ -n ${LAB_KEEP:-} && ${#lab_hosts[@]} -gt 0 ]]; then
    stop_processes captures
    echo "$lab_experiment" >"$LAB_DIR/kept"
    say "The hosts stay up. To enter one:"
    for host in "${lab_hosts[@]}"; do
      if [[ -n ${lab_kernel[$host]:-} ]]; then
        echo "  ip netns exec $LAB_PREFIX$host bash"
      else
        echo "  VTEP_SOCKET=$LAB_DIR/$host.sock PATH=$LAB_BIN:\$PATH ip netns exec $LAB_PREFIX$host bash"
      fi
    done
    echo "To remove them:"
    echo "  lab/run clean"
  else
    remove_lab
  fi
  exit "$status"
}

mkdir -p "$LAB_DIR"
trap lab_finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
