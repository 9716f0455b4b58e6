# shellcheck shell=bash
# What a running experiment leaves in the system, and how all of it goes away again. Sourced by lab/run and lab/lib.sh.
#
#   /run/vtep-lab/         sockets, logs, captures; `processes` and `captures` hold "PID STARTTIME" lines, `kept`
#                          the name of an experiment that stays up
#   namespaces vtep-lab-*  with everything in them
#   /run/vtep-lab.lock     held (fd 9) while an experiment runs

LAB_DIR=/run/vtep-lab
LAB_LOCK=/run/vtep-lab.lock
LAB_PREFIX=vtep-lab-

# Fails if somebody else has the lab. The lock goes away with this process and those that it becomes by exec.
take_the_lab() {
  exec 9>"$LAB_LOCK"
  flock --nonblock 9
}

# A PID alone may have been given to another process since: the start time tells them apart.
start_time_of() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  cut -d ' ' -f 20 <<<"$stat"
}

# remember_process PID LIST, where the list is `processes` or `captures`.
remember_process() { echo "$1 $(start_time_of "$1")" >>"$LAB_DIR/$2"; }

# Asks the process to end, and after five seconds makes it.
stop_process() {
  local pid=$1 started=$2 tries=100
  [[ $(start_time_of "$pid") == "$started" ]] || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while ((tries-- > 0)) && [[ $(start_time_of "$pid") == "$started" ]]; do
    # A child of ours that has ended stays until it is waited for.
    [[ $(ps -o stat= -p "$pid" 2>/dev/null) == Z* ]] && return 0
    sleep 0.05
  done
  if ((tries < 0)); then kill -KILL "$pid" 2>/dev/null || true; fi
}

# stop_processes LIST: newest first.
stop_processes() {
  local pid started
  [[ -e $LAB_DIR/$1 ]] || return 0
  while read -r pid started; do stop_process "$pid" "$started"; done < <(tac "$LAB_DIR/$1")
  rm -f "$LAB_DIR/$1"
}

remove_lab() {
  local namespace
  stop_processes captures
  stop_processes processes
  for namespace in $(ip netns list | awk -v prefix="$LAB_PREFIX" 'index($1, prefix) == 1 { print $1 }'); do
    ip netns del "$namespace"
  done
  rm -rf "$LAB_DIR"
}
