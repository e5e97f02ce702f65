// SPDX-License-Identifier: MIT
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/**
 * How dispatch software talks to dispatchd, in Java: see README.md beside this file. Debian has no client of Redis
 * for Java, so the commands go over a plain socket here; with Jedis or Lettuce they are the same.
 */
public final class Client implements AutoCloseable {
	private static final String USAGE = """
		usage: java Client.java publish STATE JOB CUSTOMER REVISION [KEY=VALUE ...]
		       java Client.java ask create|dispatch JOB CUSTOMER REVISION [KEY=VALUE ...]
		       java Client.java outcomes GROUP [COUNT]
		       java Client.java partition CUSTOMER ...""";
	private static final String REMEMBER_S = "604800"; // how long a repeat is recognized: a week

	private static final int PARTITIONS = Integer.parseInt(System.getenv().getOrDefault("PARTITIONS", "1"));

	/** Which of the daemons that share the customers has this one: by the bytes of its number in UTF-8. */
	static int partition(String customer) {
		CRC32 crc = new CRC32();
		crc.update(customer.getBytes(StandardCharsets.UTF_8));
		return (int) (crc.getValue() % PARTITIONS);
	}

	/** The stream of that daemon: `jobs:events` where there is one, else `jobs:events:0` and so on. */
	static String stream(String name, String customer) {
		return PARTITIONS > 1 ? name + ":" + partition(customer) : name;
	}

	/** An entry of a stream; no fields where it was trimmed before it was read. */
	record Entry(String id, Map<String, String> fields) {}

	// ---- what dispatch software does

	/**
	 * Adds a job event. Its id is made from the job's own record, so that a repeat after a lost reply is recognized:
	 * say it again until Redis has answered.
	 */
	String publish(String state, String job, String customer, String revision, Map<String, String> data)
			throws IOException {
		String id = job + ":" + state + ":" + revision;
		return (String) call(add(stream("jobs:events", customer), id, state, job, customer, data));
	}

	/**
	 * Asks the gate and waits for its answer; null where none came in time. Asked again with the same revision it
	 * acts once, and the recorded answer comes again.
	 */
	Map<String, String> ask(String action, String job, String customer, String revision, Map<String, String> data)
			throws IOException {
		String id = job + ":" + action + ":" + revision;
		List<Entry> latest = entries(call("XREVRANGE", "jobs:outcomes", "+", "-", "COUNT", "1"));
		String last = latest.isEmpty() ? "0-0" : latest.get(0).id(); // the answer comes behind this one
		call(add(stream("jobs:requests", customer), id, action, job, customer, data));
		long end = System.nanoTime() + answerWithinMs() * 1_000_000;
		for (long left; (left = (end - System.nanoTime()) / 1_000_000) > 0;) {
			for (Entry entry : streamEntries(call("XREAD", "COUNT", "100", "BLOCK", Long.toString(left),
					"STREAMS", "jobs:outcomes", last))) {
				last = entry.id();
				if (id.equals(entry.fields().get("event")) && "example".equals(entry.fields().get("source")))
					return entry.fields();
			}
		}
		return null;
	}

	/**
	 * Reads outcomes as a member of a consumer group until `count` were handled. First come those that this member
	 * read before and did not acknowledge. Each is handled once, unless this program dies between handling it and
	 * remembering it: where that matters, write the outcome's id and what follows from it in one transaction.
	 */
	void outcomes(String group, long count, Consumer<Map<String, String>> handle) throws IOException {
		try {
			call("XGROUP", "CREATE", "jobs:outcomes", group, "0", "MKSTREAM");
		} catch (RedisFault fault) {
			if (!fault.getMessage().startsWith("BUSYGROUP"))
				throw fault;
		}
		String member = InetAddress.getLocalHost().getHostName();
		for (String after = "0"; count > 0;) {
			List<Entry> read = streamEntries(call("XREADGROUP", "GROUP", group, member, "COUNT",
				Long.toString(Math.min(count, 100)), "BLOCK", "1000", "STREAMS", "jobs:outcomes", after));
			if (!after.equals(">") && read.isEmpty())
				after = ">"; // nothing is left of what was read before
			for (Entry entry : read) {
				String seen = group + ":seen:" + entry.fields().get("id");
				if (!entry.fields().isEmpty() && call("EXISTS", seen).equals(0L)) {
					handle.accept(entry.fields());
					call("SET", seen, "1", "EX", REMEMBER_S);
					count--;
				}
				call("XACK", "jobs:outcomes", group, entry.id());
			}
		}
	}

	private static String[] add(String stream, String id, String kind, String job, String customer,
			Map<String, String> data) {
		List<String> command = new ArrayList<>(List.of("XADD", stream, "*"));
		data.forEach((key, value) -> command.addAll(List.of(key, value)));
		command.addAll(List.of("id", id, "source", "example", "type", "job." + kind, "job", job, "customer", customer));
		return command.toArray(String[]::new);
	}

	private static long answerWithinMs() {
		String seconds = System.getenv("ANSWER_WITHIN_S");
		return seconds == null ? 5000 : (long) (1000 * Double.parseDouble(seconds));
	}

	// ---- Redis' protocol (RESP2)

	static final class RedisFault extends IOException {
		RedisFault(String text) {
			super(text);
		}
	}

	private final Socket socket;
	private final InputStream in;
	private final OutputStream out;

	Client(URI url) throws IOException {
		socket = new Socket(url.getHost(), url.getPort() < 0 ? 6379 : url.getPort());
		in = new BufferedInputStream(socket.getInputStream());
		out = new BufferedOutputStream(socket.getOutputStream());
		if (url.getUserInfo() != null) {
			String[] parts = url.getUserInfo().split(":", 2);
			call(parts[0].isEmpty() ? new String[] {"AUTH", parts[1]} : new String[] {"AUTH", parts[0], parts[1]});
		}
		if (url.getPath() != null && url.getPath().length() > 1)
			call("SELECT", url.getPath().substring(1));
	}

	@Override
	public void close() throws IOException {
		socket.close();
	}

	private Object call(String... words) throws IOException {
		out.write(("*" + words.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
		for (String word : words) {
			byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
			out.write(("$" + bytes.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
			out.write(bytes);
			out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
		}
		out.flush();
		return reply();
	}

	/** A String, a Long, a List, or null. */
	private Object reply() throws IOException {
		String line = line();
		String rest = line.substring(1);
		switch (line.charAt(0)) {
		case '+':
			return rest;
		case '-':
			throw new RedisFault(rest);
		case ':':
			return Long.valueOf(rest);
		case '$': {
			int length = Integer.parseInt(rest);
			if (length < 0)
				return null;
			byte[] bytes = in.readNBytes(length);
			line();
			return new String(bytes, StandardCharsets.UTF_8);
		}
		case '*': {
			int length = Integer.parseInt(rest);
			if (length < 0)
				return null;
			List<Object> list = new ArrayList<>(length);
			for (int i = 0; i < length; i++)
				list.add(reply());
			return list;
		}
		default:
			throw new IOException("not a reply of Redis: " + line);
		}
	}

	private String line() throws IOException {
		StringBuilder line = new StringBuilder();
		for (int c; (c = in.read()) != '\r';) {
			if (c < 0)
				throw new EOFException("Redis closed the connection");
			line.append((char) c);
		}
		if (in.read() != '\n')
			throw new IOException("not a line of Redis");
		return line.toString();
	}

	/** [[id, [name, value, ...]], ...] */
	private static List<Entry> entries(Object reply) {
		List<Entry> found = new ArrayList<>();
		for (Object row : (List<?>) reply) {
			List<?> pair = (List<?>) row;
			Map<String, String> fields = new LinkedHashMap<>();
			List<?> words = pair.get(1) == null ? List.of() : (List<?>) pair.get(1);
			for (int i = 0; i + 1 < words.size(); i += 2)
				fields.put((String) words.get(i), (String) words.get(i + 1));
			found.add(new Entry((String) pair.get(0), fields));
		}
		return found;
	}

	/** [[stream, entries]] of the one stream that was asked for, or nothing. */
	private static List<Entry> streamEntries(Object reply) {
		return reply == null ? List.of() : entries(((List<?>) ((List<?>) reply).get(0)).get(1));
	}

	// ---- the command line

	private static Map<String, String> data(String[] args) {
		Map<String, String> data = new LinkedHashMap<>();
		for (int i = 5; i < args.length; i++) {
			String[] pair = args[i].split("=", 2);
			data.put(pair[0], pair.length > 1 ? pair[1] : "");
		}
		return data;
	}

	private static int run(Client client, String[] args) throws IOException {
		String verb = args.length > 0 ? args[0] : "";
		if (verb.equals("publish") && args.length >= 5) {
			System.out.println(client.publish(args[1], args[2], args[3], args[4], data(args)));
			return 0;
		}
		if (verb.equals("ask") && args.length >= 5) {
			Map<String, String> answer = client.ask(args[1], args[2], args[3], args[4], data(args));
			System.out.println(answer == null ? "no answer yet" : answer.get("status") + " " + answer.get("reason"));
			return answer == null ? 75 : 0;
		}
		if (verb.equals("outcomes") && (args.length == 2 || args.length == 3)) {
			long count = args.length == 3 ? Long.parseLong(args[2]) : Long.MAX_VALUE;
			client.outcomes(args[1], count, o -> System.out.println(
				o.get("id") + " " + o.get("event") + " " + o.get("status") + " " + o.get("reason")));
			return 0;
		}
		if (verb.equals("partition") && args.length >= 2) {
			for (int i = 1; i < args.length; i++)
				System.out.println(partition(args[i]));
			return 0;
		}
		System.err.println(USAGE);
		return 64;
	}

	public static void main(String[] args) throws IOException {
		String url = System.getenv("REDIS_URL");
		int code;
		try (Client client = new Client(URI.create(url == null ? "redis://127.0.0.1:6379/0" : url))) {
			code = run(client, args);
		}
		System.exit(code);
	}
}
