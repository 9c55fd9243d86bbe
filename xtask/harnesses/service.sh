# A service manager of its own, in namespaces of its own: the unit that `skep setup` installs is started, falls, is
# back, and is taken away. Arguments: skep, and an empty folder. Needs root.
set -eu
skep=$1
export HOME=$2/home XDG_RUNTIME_DIR=/run/user SKEP_SERVER__TCP=off
say() { echo "service: $*"; }
until_true() {
    tries=0
    until "$@" > /dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { say "not within 20 s: $*"; systemctl --user status skepd; exit 1; }
        sleep 0.1
    done
}
main_pid() { systemctl --user show --property MainPID --value skepd; }
is_served() { [ "$(main_pid)" != 0 ] && [ "$(main_pid)" = "$(cat "$HOME/.skep/skepd.pid")" ] && "$skep" --local status; }
is_another() { [ "$(main_pid)" != "$1" ] && is_served; }

mount -t cgroup2 none /sys/fs/cgroup
own=/sys/fs/cgroup/$(basename "$2")
mkdir -p "$own"
echo $$ > "$own/cgroup.procs"
leave() {
    systemctl --user exit > /dev/null 2>&1 || true
    echo $$ > /sys/fs/cgroup/cgroup.procs
    sleep 0.5
    find "$own" -depth -type d -exec rmdir {} + 2> /dev/null || true
}
trap leave EXIT
mount -t tmpfs none /run
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR" "$HOME/.codex"
chmod 700 "$XDG_RUNTIME_DIR"
/lib/systemd/systemd --user > "$2/systemd.log" 2>&1 &
until_true systemctl --user show-environment

"$skep" setup --yes > "$2/setup.log" 2>&1 || { cat "$2/setup.log"; exit 1; }
unit=$HOME/.config/systemd/user/skepd.service
[ -f "$unit" ] && [ "$(systemctl --user is-enabled skepd)" = enabled ] || { say "it is not enabled"; exit 1; }
systemd-analyze --user verify "$unit"
"$skep" --local --quiet stop
systemctl --user start skepd
until_true is_served
before=$(main_pid)
kill -9 "$before"
until_true is_another "$before"
"$skep" setup --uninstall --yes > "$2/uninstall.log" 2>&1 || { cat "$2/uninstall.log"; exit 1; }
[ ! -e "$unit" ] || { say "the unit stays"; exit 1; }
systemctl --user stop skepd
say "systemd starts the unit, starts it again when it falls, and forgets it"
