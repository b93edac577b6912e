//! Bars over time, drawn as SVG by us: stacked, coloured by the style sheet, each with words that say what it shows, and
//! with a table of the same beside it.
//!
//! Crates that draw were looked at first: plotters and charming write colours and sizes into the drawing, poloto has style
//! classes but no stacked bars, titles or links. The drawing holds no text: it stretches to any width, letters would with it.

use std::time::Duration;

use maud::{Markup, html};
use rayline_verdict::Moment;

use crate::show::{self, Precision};

/// Height of the drawing in its own units.
const HEIGHT: f64 = 100.0;
/// Width of a bar and the room around it.
const STEP: f64 = 10.0;
/// What is not nothing can be seen.
const LEAST: f64 = 1.5;
/// Words below the time axis.
const LABELS: usize = 5;

/// A colour's meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// A class of the style sheet that sets the colour.
    pub(crate) class: &'static str,
    /// Where its name leads.
    pub(crate) link: Option<String>,
}

/// A step of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) at: Moment,
    /// Per series.
    pub(crate) parts: Vec<f64>,
    /// What the title says beside that, such as how many requests there were.
    pub(crate) more: String,
    /// Where a click leads.
    pub(crate) link: Option<String>,
}

/// A chart.
#[derive(Debug)]
pub(crate) struct Chart<'a> {
    pub(crate) caption: &'a str,
    /// What the bars count, in the plural.
    pub(crate) unit: &'a str,
    pub(crate) step: Duration,
    pub(crate) series: &'a [Series],
    pub(crate) bars: &'a [Bar],
    pub(crate) is_low: bool,
}

impl Chart<'_> {
    pub(crate) fn draw(&self) -> Markup {
        let most = self.bars.iter().map(|bar| bar.parts.iter().sum::<f64>()).fold(0.0, f64::max);
        let top = ceiling(most);
        let width = STEP * self.bars.len().max(1) as f64;
        html! {
            figure.chart.low[self.is_low] {
                div.plot {
                    div.y aria-hidden="true" {
                        span { (show::rounded(top)) }
                        span { @if top % 2.0 == 0.0 { (show::rounded(top / 2.0)) } }
                        span { "0" }
                    }
                    svg role="img" aria-label=(self.summary(most)) viewBox=(format!("0 0 {width} {HEIGHT}"))
                        preserveAspectRatio="none" {
                        @for y in [0.0, HEIGHT / 2.0, HEIGHT] {
                            line.line x1="0" x2=(width) y1=(y) y2=(y) {}
                        }
                        @for (place, bar) in self.bars.iter().enumerate() {
                            (self.bar(bar, place, top))
                        }
                    }
                    div.x aria-hidden="true" {
                        @for label in self.labels() { span { (label) } }
                    }
                }
                ul.keys {
                    @for (place, series) in self.series.iter().enumerate() {
                        @let sum: f64 = self.bars.iter().filter_map(|bar| bar.parts.get(place)).sum();
                        li class=(format!("key {}", series.class)) {
                            @match &series.link {
                                Some(link) => a href=(link) { (show::short(&series.name)) },
                                None => (show::short(&series.name)),
                            }
                            " " span.soft { (show::rounded(sum)) }
                        }
                    }
                }
                (self.table())
            }
        }
    }

    fn bar(&self, bar: &Bar, place: usize, top: f64) -> Markup {
        let x = STEP * place as f64;
        let mut y = HEIGHT;
        let mut rects = Vec::with_capacity(self.series.len());
        for (part, series) in bar.parts.iter().zip(self.series) {
            if *part > 0.0 {
                let height = (part / top * HEIGHT).max(LEAST).min(y);
                y -= height;
                rects.push((y, height, series.class));
            }
        }
        let inside = html! {
            title { (self.title(bar)) }
            rect.hit x=(x) y="0" width=(STEP) height=(HEIGHT) {}
            @for (y, height, class) in rects {
                rect class=(class) x=(x + 1.0) y=(format!("{y:.2}")) width=(STEP - 2.0) height=(format!("{height:.2}")) {}
            }
        };
        html! {
            @match &bar.link {
                // the table holds the same links for the keyboard: a hundred bars are a long way for the tab key
                Some(link) => a href=(link) tabindex="-1" { (inside) },
                None => g { (inside) },
            }
        }
    }

    fn title(&self, bar: &Bar) -> String {
        let parts = bar.parts.iter().zip(self.series).filter(|(part, _)| **part > 0.0);
        let parts: Vec<String> =
            parts.map(|(part, series)| format!("{} {}", show::plain(&series.name, 60), show::rounded(*part))).collect();
        let said = if parts.is_empty() { format!("no {}", self.unit) } else { parts.join(", ") };
        format!("{} UTC: {said}{}", show::text(bar.at, Precision::Minute), bar.more)
    }

    fn summary(&self, most: f64) -> String {
        let sum: f64 = self.bars.iter().flat_map(|bar| &bar.parts).sum();
        let step = show::duration(self.step);
        format!(
            "{}: {} {} in {} steps of {step}, at most {} in one",
            self.caption,
            show::rounded(sum),
            self.unit,
            self.bars.len(),
            show::rounded(most)
        )
    }

    fn labels(&self) -> Vec<String> {
        let precision = match self.step.as_secs() {
            0..7_200 => Precision::Clock,
            7_200.. => Precision::Day,
        };
        let last = self.bars.len().saturating_sub(1);
        let count = LABELS.min(self.bars.len());
        let places = (0..count).map(|label| if count < 2 { 0 } else { label * last / (count - 1) });
        places.filter_map(|place| self.bars.get(place)).map(|bar| show::text(bar.at, precision)).collect()
    }

    fn table(&self) -> Markup {
        let filled = self.bars.iter().filter(|bar| bar.parts.iter().any(|part| *part > 0.0));
        html! {
            details {
                summary { "As a table" }
                div.scroll tabindex="0" role="region" aria-label=(self.caption) {
                    table {
                        caption { (self.caption) ": " (self.unit) " by time (UTC); steps without any are left out" }
                        thead { tr {
                            th scope="col" { "Time (UTC)" }
                            @for series in self.series { th.n scope="col" { (show::short(&series.name)) } }
                        } }
                        tbody {
                            @for bar in filled {
                                tr {
                                    th scope="row" {
                                        @match &bar.link {
                                            Some(link) => a href=(link) { (show::when_short(bar.at)) },
                                            None => (show::when_short(bar.at)),
                                        }
                                    }
                                    @for part in &bar.parts { td.n { (show::rounded(*part)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The next number up that reads well: 1, 2, 5 and their tenfolds.
fn ceiling(most: f64) -> f64 {
    let mut ceiling = 1.0;
    while ceiling < most {
        ceiling *= 10.0;
    }
    [ceiling / 5.0, ceiling / 2.0].into_iter().find(|less| *less >= most && *less >= 1.0).unwrap_or(ceiling)
}

/// A bar for a share, in a table.
pub(crate) fn share(part: f64, whole: f64, class: &str) -> Markup {
    let width = if whole > 0.0 { (part / whole * 100.0).clamp(if part > 0.0 { 0.5 } else { 0.0 }, 100.0) } else { 0.0 };
    html! {
        svg class=(format!("bar {class}")) viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            rect.rest width="100" height="10" {}
            rect width=(format!("{width:.2}")) height="10" {}
        }
    }
}

/// Shares of a whole beside one another. The words stand elsewhere.
pub(crate) fn split(parts: &[(f64, &str)]) -> Markup {
    let whole: f64 = parts.iter().map(|(part, _)| part).sum();
    let mut x = 0.0;
    let mut rects = Vec::with_capacity(parts.len());
    for (part, class) in parts {
        let width = if whole > 0.0 { part / whole * 100.0 } else { 0.0 };
        rects.push((x, width, *class));
        x += width;
    }
    html! {
        svg.split viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            @for (x, width, class) in rects {
                rect class=(class) x=(format!("{x:.3}")) width=(format!("{width:.3}")) height="10" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_where_numbers_read_well() {
        for (most, top) in [(0.0, 1.0), (1.0, 1.0), (3.0, 5.0), (5.0, 5.0), (6.0, 10.0), (11.0, 20.0), (501.0, 1000.0)]
        {
            assert_eq!(ceiling(most), top, "{most}");
        }
    }

    #[test]
    fn hostile_names_stay_words() {
        let series = [Series { name: "<script>\u{202e}".to_owned(), class: "s-0", link: None }];
        let bars = [Bar { at: Moment(0), parts: vec![2.0], more: String::new(), link: None }];
        let chart = Chart {
            caption: "failures",
            unit: "failures",
            step: Duration::from_secs(60),
            series: &series,
            bars: &bars,
            is_low: false,
        };
        let drawn = chart.draw().into_string();
        assert!(!drawn.contains("<script>") && !drawn.contains('\u{202e}'), "{drawn}");
        assert!(drawn.contains("1970-01-01 00:00 UTC"), "{drawn}");
    }
}
