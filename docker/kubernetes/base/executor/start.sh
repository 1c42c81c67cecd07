#!/usr/bin/env bash
# Starts a Spark executor as its driver wants it, which Spark's own images do in their entry point. Spark sets the
# variables; Java and pyspark are those of the image, as the drivers find them.
set -euo pipefail

places=$(
  python -c '
from shoplake_assets.runtime.ivy import pyspark_jars
from shoplake_assets.runtime.java import find_java
from shoplake_assets.settings import load_settings
print(find_java(load_settings()).home, pyspark_jars().parent)'
)
read -r JAVA_HOME SPARK_HOME <<<"$places"
export JAVA_HOME SPARK_HOME

# SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, …: options of the JVM, one each.
options=()
for ((i = 0; ; i++)); do
  name=SPARK_JAVA_OPT_$i
  [ -n "${!name+set}" ] || break
  options+=("${!name}")
done

# Executors end with their driver; what they leave in the working folder, the jars that they were sent, goes with the pod.
cd /var/lib/shoplake
exec "$JAVA_HOME/bin/java" "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
  -cp "${SPARK_CONF_DIR:?}:${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*" \
  org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
  --driver-url "$SPARK_DRIVER_URL" \
  --executor-id "$SPARK_EXECUTOR_ID" \
  --cores "$SPARK_EXECUTOR_CORES" \
  --app-id "$SPARK_APPLICATION_ID" \
  --hostname "$SPARK_EXECUTOR_POD_IP" \
  --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
  --podName "$SPARK_EXECUTOR_POD_NAME"
