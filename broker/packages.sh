# Installs what is missing from Debian: sourced, then `need_packages PACKAGE...`.

need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    echo "installing: ${missing[*]}" >&2
    command -v apt-get >/dev/null || { echo "cannot install ${missing[*]}: apt-get is not here (Debian 12 is expected)" >&2; return 1; }
    local sudo=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "cannot install ${missing[*]}: neither root nor sudo" >&2; return 1; }
        sudo=(sudo)
    fi
    export DEBIAN_FRONTEND=noninteractive
    "${sudo[@]}" apt-get update -qq >/dev/null &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        { echo "cannot install ${missing[*]}: apt-get failed" >&2; return 1; }
}

build_packages=(cmake ninja-build pkg-config gcc libc6-dev libzmq3-dev libczmq-dev libmsgpack-dev libsqlite3-dev libyaml-dev
    libxxhash-dev libpcre2-dev libsystemd-dev libjansson-dev scdoc libcurl4-openssl-dev libssl-dev libhiredis-dev)
test_packages=(libcmocka-dev g++ binutils man-db zsh fish clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14 python3 python3-zmq python3-msgpack python3-yaml procps strace valgrind
    openssl prometheus prometheus-alertmanager python3-aiosmtpd redis-server python3-redis iproute2)
# for the examples; where Node comes from elsewhere it brings its own npm
command -v npm >/dev/null || test_packages+=(nodejs npm)
