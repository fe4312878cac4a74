"""The API of the portal: the data of the release and the work lists, under the names that the release publishes."""
