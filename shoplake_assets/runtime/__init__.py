"""What runs underneath: Java, jars, broker, Spark Connect server, supervision."""
