#!/bin/sh
# A real Apache Kafka for tests: one KRaft node on 127.0.0.1, from the jars of Maven Central.
#
#   kafka.sh install DIR              fetch the broker's jars into DIR/lib (kept: a second call is quick)
#   kafka.sh start   DIR DATA PORT    format DATA if it is new, start, return once clients are served
#   kafka.sh stop    DATA             end it, SIGTERM first; no broker there is no error
#   kafka.sh wipe    DATA             stop, then remove DATA
#
# PORT is for clients, PORT + 1 for the controller; the caller chooses them free. SOUK_KAFKA_VERSION (3.9.2),
# SOUK_KAFKA_HEAP (-Xms256m -Xmx512m), SOUK_KAFKA_PROPERTIES (lines added to server.properties).
set -eu

version=${SOUK_KAFKA_VERSION:-3.9.2}
heap=${SOUK_KAFKA_HEAP:--Xms256m -Xmx512m}
start_max_s=60
stop_max_s=20

fail() {
	echo "kafka.sh: $*" >&2
	exit 1
}

usage() {
	sed -n '4,7s/^# *//p' "$0" >&2
	exit 2
}

# The broker whose pid is in DATA, if it is still that broker: a pid may have been given to another process.
running_pid() {
	[ -s "$1/broker.pid" ] || return 1
	pid=$(cat "$1/broker.pid")
	tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "kafka.Kafka $1/server.properties" || return 1
	echo "$pid"
}

install_jars() {
	if [ "$(cat "$1/version" 2>/dev/null)" = "$version" ]; then
		return
	fi
	command -v mvn >/dev/null || fail "needs maven (apt-get install maven default-jdk-headless)"
	mkdir -p "$1"
	rm -rf "$1/lib" "$1/version"
	# Kafka before 4.0 logs through log4j 1 (reload4j), later ones bring log4j 2 themselves.
	binding=
	case $version in
	[123].*)
		binding='<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-reload4j</artifactId><version>1.7.36</version></dependency>'
		;;
	esac
	cat >"$1/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>souk.test</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    $binding
  </dependencies>
</project>
POM
	(cd "$1" && mvn --batch-mode --quiet dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=lib) ||
		fail "maven could not fetch Kafka $version"
	ls "$1"/lib/kafka_2.13-*.jar >/dev/null 2>&1 || fail "no broker jar in $1/lib"
	echo "$version" >"$1/version"
}

write_properties() {
	cat >"$1/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$(($2 + 1))
listeners=CLIENT://127.0.0.1:$2,CONTROL://127.0.0.1:$(($2 + 1))
advertised.listeners=CLIENT://127.0.0.1:$2
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROL:PLAINTEXT
controller.listener.names=CONTROL
inter.broker.listener.name=CLIENT
log.dirs=$1/log
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=16777216
${SOUK_KAFKA_PROPERTIES:-}
PROPERTIES
	cat >"$1/log4j.properties" <<LOG4J
log4j.rootLogger=WARN, out
log4j.logger.kafka.server.KafkaRaftServer=INFO, out
log4j.additivity.kafka.server.KafkaRaftServer=false
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c %m%n
LOG4J
}

start_broker() {
	[ -s "$1/version" ] || fail "no broker in $1 (kafka.sh install $1)"
	case $3 in '' | *[!0-9]*) usage ;; esac
	mkdir -p "$2"
	lib=$(cd "$1/lib" && pwd) data=$(cd "$2" && pwd)
	! running_pid "$data" >/dev/null || fail "a broker already runs in $data"
	write_properties "$data" "$3"

	java_options="-Dlog4j.configuration=file:$data/log4j.properties -Djava.awt.headless=true"
	if [ ! -e "$data/log/meta.properties" ]; then
		id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | cut -c1-22)
		# shellcheck disable=SC2086
		java -XX:TieredStopAtLevel=1 $java_options -cp "$lib/*" kafka.tools.StorageTool format \
			--cluster-id "$id" --config "$data/server.properties" >"$data/format.log" 2>&1 || {
			cat "$data/format.log" >&2
			fail "could not format $data/log"
		}
	fi
	# shellcheck disable=SC2086
	setsid java $heap -XX:+UseG1GC -XX:MaxGCPauseMillis=20 $java_options -cp "$lib/*" \
		kafka.Kafka "$data/server.properties" >"$data/broker.log" 2>&1 </dev/null &
	echo $! >"$data/broker.pid"

	# Written when the listeners accept and the controller has let the broker in.
	tries=$((start_max_s * 10))
	until grep -qs 'Kafka Server started' "$data/broker.log"; do
		tries=$((tries - 1))
		if [ $tries -eq 0 ] || ! kill -0 "$(cat "$data/broker.pid")" 2>/dev/null; then
			tail -n 20 "$data/broker.log" >&2
			stop_broker "$data"
			fail "the broker did not come up within $start_max_s s"
		fi
		sleep 0.1
	done
	echo "127.0.0.1:$3"
}

stop_broker() {
	[ -d "$1" ] || return 0
	data=$(cd "$1" && pwd)
	if pid=$(running_pid "$data"); then
		kill "$pid" 2>/dev/null || true
		tries=$((stop_max_s * 10))
		while running_pid "$data" >/dev/null; do
			tries=$((tries - 1))
			[ $tries -gt 0 ] || kill -KILL "$pid" 2>/dev/null || true
			[ $tries -gt -50 ] || fail "pid $pid does not end"
			sleep 0.1
		done
	fi
	rm -f "$data/broker.pid"
}

wipe_data() {
	stop_broker "$1"
	# Only a folder that this script has made.
	[ ! -e "$1" ] || [ -e "$1/server.properties" ] || fail "$1 is no broker's folder"
	rm -rf "$1"
}

case "${1:-} $#" in
'install 2') install_jars "$2" ;;
'start 4') start_broker "$2" "$3" "$4" ;;
'stop 2') stop_broker "$2" ;;
'wipe 2') wipe_data "$2" ;;
*) usage ;;
esac
