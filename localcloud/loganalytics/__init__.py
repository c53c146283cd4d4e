"""Log Analytics of the local cloud: tables on disk, KQL over them, the query API and the ingestion API."""
