//! Real servers as origins, each with a configuration of its own in a folder of its own.
