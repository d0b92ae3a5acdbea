// SPDX-License-Identifier: Apache-2.0
// Exercises the JVM; throws on a wrong result, ends with 'all done'. Argument: number of threads, or 'exit'.
import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;

public class Workload {
	static void check(String what, Object want, Object got) {
		if (!want.equals(got))
			throw new AssertionError(what + ": expected '" + want + "', got '" + got + "'");
	}

	static void threads(int count) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(count);
		AtomicLong total = new AtomicLong();
		Map<Integer, Integer> seen = new ConcurrentHashMap<>();
		Object lock = new Object();
		long[] guarded = { 0 };
		CountDownLatch start = new CountDownLatch(1);
		List<Future<?>> jobs = new ArrayList<>();
		for (int t = 0; t < count; t++) {
			int id = t;
			jobs.add(pool.submit(() -> {
				start.await();
				for (int i = 0; i < 1000; i++) {
					total.addAndGet(i);
					seen.merge(i % 97, 1, Integer::sum);
					synchronized (lock) {
						guarded[0]++;
					}
					if (i % 250 == id % 250)
						Thread.sleep(1);
				}
				return null;
			}));
		}
		start.countDown();
		for (Future<?> job : jobs)
			job.get();
		pool.shutdown();
		check("sum", 499500L * count, total.get());
		check("guarded", 1000L * count, guarded[0]);
		check("merged", 1000 * count, seen.values().stream().mapToInt(n -> n).sum());
		check("parallel stream", 333338333350000L, LongStream.rangeClosed(1, 100000).parallel().map(n -> n * n).sum());
		System.out.println(count + " threads");
	}

	static int depth(int n) {
		return depth(n + 1) + 1;
	}

	static void traps() {
		// Enough rounds for the compilers to turn null checks into SIGSEGV.
		int caught = 0;
		String[] texts = { "a", null };
		for (int i = 0; i < 40000; i++) {
			try {
				caught += texts[i & 1].length() - 1;
			} catch (NullPointerException e) {
				caught++;
			}
		}
		check("null pointers", 20000, caught);
		try {
			depth(0);
			throw new AssertionError("no StackOverflowError");
		} catch (StackOverflowError e) {
			caught++;
		}
		List<byte[]> keep = new ArrayList<>();
		for (int i = 0; i < 3000; i++) {
			keep.add(new byte[100000]);
			if (keep.size() > 50)
				keep.clear();
		}
		System.out.println("null pointers, stack overflow, 300 MB of garbage");
	}

	static void processes() throws Exception {
		Process upper = new ProcessBuilder("tr", "a-z", "A-Z").start();
		try (Writer w = new OutputStreamWriter(upper.getOutputStream())) {
			w.write("hello");
		}
		check("tr", "HELLO", new String(upper.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
		check("status", 0, upper.waitFor());
		List<Process> children = new ArrayList<>();
		for (int n = 0; n < 8; n++)
			children.add(new ProcessBuilder("sh", "-c", "exit " + n).start());
		for (int n = 0; n < 8; n++)
			check("status", n, children.get(n).waitFor());
		Process sleeper = new ProcessBuilder("sleep", "30").start();
		check("alive", true, sleeper.isAlive());
		sleeper.destroyForcibly();
		check("killed", 137, sleeper.waitFor());
		try {
			new ProcessBuilder("/nonexistent").start();
			throw new AssertionError("no error for an absent program");
		} catch (IOException e) {
			check("absent", true, e.getMessage().contains("error=2"));
		}
		System.out.println("ProcessBuilder: pipes, statuses, kill, absent program");
	}

	static void sockets() throws Exception {
		try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
			Thread echo = new Thread(() -> {
				try (Socket s = server.accept()) {
					s.getInputStream().transferTo(s.getOutputStream());
				} catch (IOException e) {
					throw new UncheckedIOException(e);
				}
			});
			echo.start();
			try (Socket s = new Socket(server.getInetAddress(), server.getLocalPort())) {
				s.getOutputStream().write("ping".getBytes());
				s.shutdownOutput();
				check("echo", "ping", new String(s.getInputStream().readAllBytes()));
			}
			echo.join();
		}
		System.out.println("sockets: echo");
	}

	public static void main(String[] args) throws Exception {
		if (args[0].equals("exit"))
			System.exit(42);
		threads(Integer.parseInt(args[0]));
		traps();
		processes();
		sockets();
		System.out.println("all done");
	}
}
