#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds busybox from $BUILT/busybox.tar in the given folder, offline. Last line printed: its checksum and applet count.
# BUSYBOX_PART=1: from the configured tree, only the applets of one folder; last line: checksum of their archive.
set -eu
mkdir -p "$1"
cd "$1"
export SOURCE_DATE_EPOCH=1700000000 KBUILD_BUILD_TIMESTAMP=1700000000 LC_ALL=C.UTF-8
unset MAKEFLAGS
if [[ ${BUSYBOX_PART-0} = 1 ]]; then
	tar xf "$BUILT/busybox.defconfig.tar"
	cd busybox
	make -j2 HOSTCFLAGS=-O0 CFLAGS=-O0 console-tools/
	ar t console-tools/lib.a | wc -l
	sha256sum <console-tools/lib.a
else
	tar xf "$BUILT/busybox.tar"
	cd busybox
	make defconfig
	make -j2 CFLAGS=-O0
	./busybox --list | wc -l
	sha256sum <busybox
fi
