//! Each script does what its sentence says, as a raw client sees it.
