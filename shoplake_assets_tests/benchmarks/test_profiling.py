"""For which kind of work a sample counts."""

from shoplake_assets_tests.benchmarks.profiling import ICEBERG, ORDER, OTHER, shares

_JSON = """jdk.ExecutionSample {
  stackTrace = [
    java.lang.String.charAt(int) line: 1
    com.fasterxml.jackson.core.json.UTF8StreamJsonParser.nextToken() line: 2
    org.apache.spark.sql.catalyst.expressions.GeneratedClass$Iterator.processNext() line: 3
    org.apache.spark.sql.execution.columnar.DefaultCachedBatchSerializer.next() line: 4
  ]
}
"""
_KEPT = """jdk.ExecutionSample {
  stackTrace = [
    org.apache.spark.sql.execution.columnar.BasicColumnBuilder.appendFrom(InternalRow, int) line: 1
    org.apache.spark.sql.execution.columnar.DefaultCachedBatchSerializer.next() line: 4
  ]
}
"""
_WRITTEN = """jdk.ExecutionSample {
  stackTrace = [
    org.apache.iceberg.StructTransform.wrap(StructLike) line: 1
    org.apache.iceberg.spark.source.SparkWrite$PartitionedDataWriter.write(InternalRow) line: 2
  ]
}
"""
_COMMITTED = """jdk.ExecutionSample {
  stackTrace = [
    java.util.HashMap.get(Object) line: 1
    org.apache.iceberg.SnapshotProducer.commit() line: 2
  ]
}
"""
_IDLE = """jdk.ExecutionSample {
  stackTrace = [
    java.lang.Thread.run() line: 1
  ]
}
"""


def test_a_sample_counts_for_the_innermost_frame_that_is_of_a_kind() -> None:
    found = shares(_JSON * 5 + _KEPT * 2 + _WRITTEN + _COMMITTED + _IDLE)
    expected = {"reading JSON": 0.5, "keeping rows in memory": 0.2, "writing Parquet": 0.1, ICEBERG: 0.1, OTHER: 0.1}
    assert found == {**dict.fromkeys(ORDER, 0.0), **expected}


def test_no_sample_gives_no_share() -> None:
    assert set(shares("").values()) == {0.0}
