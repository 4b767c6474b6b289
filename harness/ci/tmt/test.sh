#!/bin/sh
# Runs a shard, and if it is the only one says what came of it; tmt goes by the exit status.
set -eu
here=$(dirname "$0")
data=${TMT_TEST_DATA:-$(mktemp -d)}
"$here/../shard" "$data/shards/$(echo "$PIVOTSPEC_SHARD" | tr / -)"
[ "$PIVOTSPEC_SHARD" != 1/1 ] || "$here/../merge" "$data/shards" "$data/merged" junit="$data/junit.xml"
