# A fresh Debian in a folder, and systemd booted in it (systemd-nspawn). To be sourced by nspawn.sh.
# shellcheck shell=bash
# The network is this machine's own: apt and pip inside go where they go outside, and ports are shared.
# shellcheck disable=SC2154,SC2016  # suite, arch, place, machine: nspawn.sh says them; apt has a $(word) of its own

machine_mirror() {  # DEBIAN_MIRROR, else the one that this machine's apt uses
  local one found=${DEBIAN_MIRROR:-}
  while [ -z "$found" ] && read -r one; do
    case $one in */debian/ | */debian) found=$one ;; esac
  done < <(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null)
  printf '%s' "${found:-http://deb.debian.org/debian}"
}

foreign() { [ "$arch" != "$(dpkg --print-architecture)" ]; }

machine_emulator() {  # programs of arm64 run on this machine until it is started anew: with Debian 13's qemu
  foreign || return 0
  local formats=/proc/sys/fs/binfmt_misc qemu=$place/qemu/usr/bin/qemu-aarch64 mask
  if [ ! -x "$qemu" ]; then  # Debian 12's cannot start the programs that trixie's systemd starts; this one is static
    rm -rf "$place/apt"
    mkdir -p "$place/apt/lists/partial" "$place/apt/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(machine_mirror) trixie main" >"$place/apt/sources.list"
    local apt=(apt-get -q -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$place/apt/sources.list"
      -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$place/apt/lists" -o Dir::Cache="$place/apt")
    "${apt[@]}" update >&2
    (cd "$place/apt" && "${apt[@]}" download qemu-user >&2)
    dpkg-deb -x "$place"/apt/qemu-user_*.deb "$place/qemu"
  fi
  mountpoint -q "$formats" || mount -t binfmt_misc binfmt_misc "$formats"
  if ! grep -q "$qemu" "$formats/qemu-aarch64" 2>/dev/null; then
    [ ! -e "$formats/qemu-aarch64" ] || echo -1 >"$formats/qemu-aarch64"
    # P: the program's own name is kept; F: qemu is opened now, for roots that have none; O: the program is handed over
    # opened, for systemd names it by an open file that is closed when it starts. Magic: the head of an ELF file.
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf '%s' ":qemu-aarch64:M:0:\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:$mask:$qemu:POF" \
      >"$formats/register"
  fi
}

machine_pristine() {  # made once, copied for each run
  local pristine=$place/pristine-$suite-$arch
  [ ! -d "$pristine" ] || return 0
  echo "Making a Debian $suite for $arch in $pristine ..." >&2
  rm -rf --one-file-system "$pristine.new"
  # debootstrap's own mounts end with their namespace.
  unshare --mount debootstrap --arch "$arch" --variant=minbase \
    --include=systemd,systemd-sysv,dbus,ca-certificates,udev,python3,procps "$suite" "$pristine.new" "$(machine_mirror)" \
    >"$place/$suite-$arch-debootstrap.log" 2>&1 ||
    { echo "debootstrap failed: see $place/$suite-$arch-debootstrap.log" >&2; exit 69; }
  mv "$pristine.new" "$pristine"
}

machine_copy() {
  rm -rf --one-file-system "$machine"
  cp -a "$place/pristine-$suite-$arch" "$machine"
  # This machine's way to the network, with the authorities it trusts.
  cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
  cp -L /etc/ssl/certs/ca-certificates.crt "$machine/etc/ssl/certs/"
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ntimeout = 180\n' >"$machine/etc/pip.conf"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$machine/etc/hosts"  # an installed system has it, a bare root has not
  if foreign; then
    # Compiling some thousand files under emulation takes longer than all the rest ("false" is how pip.conf says it).
    printf '[install]\nno-compile = false\n' >>"$machine/etc/pip.conf"
    aarch64-linux-gnu-gcc -O2 -Wall -shared -fPIC -o "$machine/usr/lib/statx.so" tests/deploy/nspawn/statx.c
    echo /usr/lib/statx.so >"$machine/etc/ld.so.preload"
    # Under qemu-user systemd cannot set up credentials (“Invalid argument”), its own services' neither.
    mkdir -p "$machine/etc/systemd/system/service.d"
    printf '[Service]\nImportCredential=\nLoadCredential=\nSetCredential=\nTimeoutStartSec=900\nTimeoutStopSec=90\n' \
      >"$machine/etc/systemd/system/service.d/emulated.conf"
  fi
  echo force-unsafe-io >"$machine/etc/dpkg/dpkg.cfg.d/in-a-hurry"  # a machine of an hour needs no fsync
}

machine_boot() {
  # The second name of the hierarchy of control groups is for trixie's systemd, which knows no other.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --register=no --keep-unit --resolv-conf=off \
    --machine "$(basename "$machine")" -D "$machine" -b --console=pipe </dev/null >>"$machine.console" 2>&1 &
  nspawn=$!
  local end=$((SECONDS + 180))
  leader=""
  while [ $SECONDS -lt $end ]; do
    leader=$(pgrep -P "$nspawn" || true)
    if [ -n "$leader" ]; then
      case $(inside systemctl is-system-running 2>/dev/null) in running | degraded) return 0 ;; esac
    fi
    sleep 1
  done
  echo "systemd did not come up in $machine: see $machine.console" >&2
  exit 1
}

inside() {  # inside PROGRAM [ARGUMENT...]: in the booted machine, as its root, with nothing of our environment
  nsenter -t "$leader" -a -- /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

machine_halt() {  # only what we started
  [ -n "${nspawn:-}" ] || return 0
  kill -TERM "$nspawn" 2>/dev/null || true  # nspawn halts its systemd, then ends
  local end=$((SECONDS + 30))
  while kill -0 "$nspawn" 2>/dev/null && [ $SECONDS -lt $end ]; do sleep 1; done
  kill -KILL "$nspawn" "$leader" 2>/dev/null || true
  wait "$nspawn" 2>/dev/null || true
  nspawn=""
}

machine_files() {  # every path, but what packages, logs and programs running by themselves leave behind
  (cd "$machine" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./srv \
    -o -path ./var/tmp -o -path ./var/log -o -path ./var/cache/apt -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
    -o -name __pycache__ \) -prune -o -print | sort)
}

machine_accounts() { (cd "$machine/etc" && cut -d: -f1,4 group && cut -d: -f1 passwd) | sort; }
