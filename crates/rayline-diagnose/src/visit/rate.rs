//! How often something fails, as far as samples can tell.

use crate::visit::Rate;

/// The quantile of the normal distribution for 95 of 100.
const Z: f64 = 1.96;

impl Rate {
    /// So many failures of so many samples, with Wilson's interval (E. B. Wilson, 1927): it holds where the failures are
    /// few, or all.
    pub fn new(failed: u32, of: u32) -> Self {
        if of == 0 {
            return Self { failed, of, between: (0.0, 1.0) };
        }
        let (count, share) = (f64::from(of), f64::from(failed) / f64::from(of));
        let spread = Z * Z / count;
        let centre = (share + spread / 2.0) / (1.0 + spread);
        let half = Z * ((share * (1.0 - share) + spread / 4.0) / count).sqrt() / (1.0 + spread);
        Self { failed, of, between: ((centre - half).max(0.0), (centre + half).min(1.0)) }
    }

    /// How far the interval's ends are apart.
    pub fn width(&self) -> f64 {
        self.between.1 - self.between.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        for (failed, of, low, high) in
            [(0, 4, 0.0, 0.490), (4, 4, 0.510, 1.0), (5, 20, 0.112, 0.469), (10, 20, 0.299, 0.701)]
        {
            let Rate { between, .. } = Rate::new(failed, of);
            assert!((between.0 - low).abs() < 0.001 && (between.1 - high).abs() < 0.001, "{failed}/{of}: {between:?}");
        }
        assert!((Rate::new(0, 0).width() - 1.0).abs() < f64::EPSILON);
    }
}
