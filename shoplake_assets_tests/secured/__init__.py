"""Lakes whose neighbours want a login: a broker over TLS, a REST catalog, Postgres, S3."""
