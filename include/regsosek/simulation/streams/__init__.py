"""The streams beside K as they are delivered: daily counts of the officers, geotags, recap of verified lists."""
