#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Exercises the Perl interpreter; dies on a wrong result, ends with 'all done'.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX qw(:sys_wait_h :signal_h);
use Config;
use IPC::SysV qw(IPC_PRIVATE IPC_CREAT IPC_RMID IPC_NOWAIT S_IRUSR S_IWUSR SETVAL GETVAL);

$| = 1;
sub check { my ($what, $want, $got) = @_; die "$what: expected '$want', got '" . ($got // 'undef') . "'\n" if !defined $got || $want ne $got; }

# fork and wait
my %status;
for my $n (1 .. 8) {
	my $pid = fork // die "fork: $!";
	exit $n if !$pid;
	$status{$pid} = $n;
}
while ((my $pid = wait) > 0) { check("status of $pid", $status{$pid}, $? >> 8); }
print "fork and wait: 8 children\n";

# pipes and commands
check('backticks', "a\n", `echo a`);
open my $sort, '-|', "printf '3\\n1\\n2\\n' | sort" or die $!;
check('pipe', '123', join '', map { chomp; $_ } <$sort>);
close $sort;
system 'sh', '-c', 'exit 9';
check('system', 9, $? >> 8);
{ no warnings 'exec'; check('absent', -1, system { '/nonexistent' } 'x'); }
print "pipes, system, exec\n";

# signals
my $got = '';
local $SIG{USR1} = sub { $got .= 'u' };
local $SIG{ALRM} = sub { $got .= 'a' };
kill USR1 => $$;
alarm 1;
my $left = sleep 5;
check('signals', 'ua', $got);
my $set = POSIX::SigSet->new(SIGUSR1);
sigprocmask(SIG_BLOCK, $set);
kill USR1 => $$;
check('blocked', 'ua', $got);
sigprocmask(SIG_UNBLOCK, $set);
check('unblocked', 'uau', $got);
my $killed = fork;
if (!$killed) { sleep 30; exit 0 }
kill KILL => $killed;
waitpid $killed, 0;
check('killed by', 9, $? & 127);
print "signals: handler, alarm, mask, kill\n";

# sockets
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
my $port = $server->sockport;
if (!fork) {
	my $client = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die $!;
	print $client "ping\n";
	exit(<$client> eq "pong\n" ? 0 : 1);
}
my $conn = $server->accept;
check('request', "ping\n", scalar <$conn>);
print $conn "pong\n";
close $conn;
wait;
check('client', 0, $?);
print "sockets: loopback request and answer\n";

# SysV IPC
my $shm = shmget IPC_PRIVATE, 4096, IPC_CREAT | S_IRUSR | S_IWUSR;
if (!defined $shm) {
	die "shmget: $!\n" if !$!{ENOSYS} || $ENV{NEED_SYSV};
	print "SysV IPC: refused by this kernel ($!)\n";
} else {
	my $sem = semget IPC_PRIVATE, 1, IPC_CREAT | 0600 // die "semget: $!";
	my $msg = msgget IPC_PRIVATE, IPC_CREAT | 0600 // die "msgget: $!";
	my $pid = fork;
	if (!$pid) {
		shmwrite $shm, 'from child', 0, 10 or die $!;
		msgsnd $msg, pack('l! a*', 7, 'typed'), 0 or die $!;
		semop $sem, pack 's3', 0, 1, 0 or die $!;
		exit 0;
	}
	semop $sem, pack 's3', 0, -1, 0 or die "semop: $!";
	my ($data, $text);
	shmread $shm, $data, 0, 10 or die $!;
	check('shm', 'from child', $data);
	msgrcv $msg, $text, 100, 7, 0 or die $!;
	check('msg', 'typed', (unpack 'l! a*', $text)[1]);
	waitpid $pid, 0;
	check('value', 0, semctl($sem, 0, GETVAL, 0) + 0);
	shmctl $shm, IPC_RMID, 0 or die $!;
	semctl $sem, 0, IPC_RMID, 0 or die $!;
	msgctl $msg, IPC_RMID, 0 or die $!;
	print "SysV IPC: segment, semaphore and queue between two processes\n";
}

# interpreter threads
if ($Config{useithreads}) {
	require threads;
	check('threads', 285, eval { my $s = 0; $s += $_->join for map { my $n = $_; threads->create(sub { $n * $n }) } 1 .. 9; $s });
	print "threads: 9 interpreters\n";
}
print "all done\n";
