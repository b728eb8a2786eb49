#!/bin/bash
# node_exporter 1.5.0 (Debian 12, prometheus-node-exporter 1.5.0-1+b6), loopback only; needs apt-get, curl and amd64.
# Expected: of two files for its textfile collector, each valid, either all series are served, or `node_textfile_scrape_error` is 1.
# Seen: where the files differ in the help text of a metric, as when two versions of a program wrote them, or have the same series,
#   the second file's series of that metric are missing, and the rest of it is there. The error's gauge is 0 and the answer 200.
#   Only a counter of another module, `promhttp_metric_handler_errors_total`, goes up with each scrape.
# Origin: https://github.com/prometheus/node_exporter/issues/1885 and 2317; help texts are handled from 1.8.0 on
# For us: help texts of a run's metrics are fixed by a test (test/unit/deploy/outcome/write-report.test.ts), and docs/output.md says
#   that two applications with an environment of the same name cannot both be seen there.
set -euo pipefail
work=$(mktemp -d)
exporter=
trap '[ -z "$exporter" ] || kill "$exporter"; rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download prometheus-node-exporter=1.5.0-1+b6 >/dev/null
dpkg -x ./*.deb .
usr/bin/prometheus-node-exporter --version 2>&1 | grep -q 'version 1\.5\.0 '

mkdir files
port=$((20000 + RANDOM % 10000))
usr/bin/prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory=files \
  --web.listen-address="127.0.0.1:$port" >log 2>&1 &
exporter=$!

file() { # NAME HELP LABELS
  printf '# HELP job_success %s\n# TYPE job_success gauge\njob_success{%s} 1\n' "$2" "$3" >"files/$1.prom"
  printf '# HELP job_end_seconds When.\n# TYPE job_end_seconds gauge\njob_end_seconds{job="%s"} 2\n' "$1" >>"files/$1.prom"
}
seen() {
  curl -sS --fail --retry 20 --retry-connrefused --retry-delay 1 "http://127.0.0.1:$port/metrics" |
    grep -E '^(job_|node_textfile_scrape_error )' | tr '\n' ';'
}
both='job_end_seconds{job="a"} 2;job_end_seconds{job="b"} 2;'
file a 'Whether it worked.' 'job="a"'
file b 'Whether it worked.' 'job="b"'
same_help=$(seen)
file b 'Whether the job worked.' 'job="b"'
other_help=$(seen)
file b 'Whether it worked.' 'job="a"'
same_series=$(seen)
printf '%s\n' "same help text:  $same_help" "other help text: $other_help" "same series:     $same_series"
[ "$same_help" = "${both}job_success{job=\"a\"} 1;job_success{job=\"b\"} 1;node_textfile_scrape_error 0;" ] &&
  [ "$other_help" = "${both}job_success{job=\"a\"} 1;node_textfile_scrape_error 0;" ] &&
  [ "$same_series" = "$other_help" ] && echo 'as found' && exit 0
echo CHANGED
exit 1
