//! The report as one SVG image: for each scenario a panel of bars, one for each proxy, split into user and system time.
//!
//! Colours follow the reader's light or dark page by a style sheet in the image.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::markdown::{bytes, micros};
use super::report::{Report, Row, Table};

const WIDTH: u32 = 860;
const TITLE: u32 = 34;
const BAR: u32 = 24;
/// Room for names to the left of the bars, and for figures to the right.
const LEFT: i32 = 110;
const RIGHT: i32 = 190;

/// What stands for a colour in the drawing; the style sheet says what it is.
const TEXT: RGBColor = RGBColor(31, 35, 40);
const USER: RGBColor = RGBColor(9, 105, 218);
const SYSTEM: RGBColor = RGBColor(130, 170, 220);
const MEMORY: RGBColor = RGBColor(26, 127, 55);

/// On a dark page these take the place of the others.
const DARK: &[(RGBColor, &str)] = &[(TEXT, "#d1d7e0"), (USER, "#4493f8"), (SYSTEM, "#2b4a73"), (MEMORY, "#3fb950")];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The image.
///
/// # Errors
/// It cannot be drawn.
pub(crate) fn svg(report: &Report) -> std::io::Result<String> {
    let mut image = String::new();
    draw(&mut image, report).map_err(|error| std::io::Error::other(error.to_string()))?;
    let style: String = DARK.iter().map(|(color, dark)| format!("[fill=\"{}\"]{{fill:{dark}}}", hex(*color))).collect();
    let style = format!("<style>@media (prefers-color-scheme: dark){{{style}}}</style>");
    // Behind the opening tag of the image.
    let opening = image.find("<svg").and_then(|svg| Some(svg + image.get(svg..)?.find('>')? + 1));
    image.insert_str(opening.unwrap_or_default(), &style);
    Ok(image)
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn height(table: &Table) -> u32 {
    TITLE + BAR * table.rows.len() as u32 + 8
}

fn draw(image: &mut String, report: &Report) -> Drawn {
    let total = report.tables.iter().map(height).sum::<u32>() + TITLE;
    let mut rest = SVGBackend::with_string(image, (WIDTH, total)).into_drawing_area();
    let (legend, panels) = rest.split_vertically(TITLE);
    rest = panels;
    key(&legend)?;
    for table in &report.tables {
        let (area, below) = rest.split_vertically(height(table));
        panel(&area, table)?;
        rest = below;
    }
    rest.present()
}

fn key(area: &Area<'_>) -> Drawn {
    let style = text(13.0).pos(Pos::new(HPos::Left, VPos::Center));
    let mut x = LEFT;
    for (color, name) in [(USER, "user"), (SYSTEM, "system"), (MEMORY, "memory")] {
        area.draw(&Rectangle::new([(x, 12), (x + 14, 26)], color.filled()))?;
        area.draw(&Text::new(name, (x + 20, 19), style.clone()))?;
        x += 90;
    }
    area.draw(&Text::new("less is better; × is to nginx in the same rounds", (x, 19), style))
}

fn panel(area: &Area<'_>, table: &Table) -> Drawn {
    let what = if table.of_memory { "memory" } else { "CPU µs per request" };
    let title = format!("{}: {what}", table.title);
    area.draw(&Text::new(title, (8, 20), text(15.0).pos(Pos::new(HPos::Left, VPos::Center))))?;
    let longest = table.rows.iter().map(|row| parts(row, table).iter().map(|(_, part)| part).sum::<f64>());
    let scale = f64::from(WIDTH as i32 - LEFT - RIGHT) / longest.fold(f64::MIN_POSITIVE, f64::max);
    for (row, top) in table.rows.iter().zip((0..).map(|row| (TITLE + row * BAR) as i32)) {
        let middle = top + BAR as i32 / 2;
        let name = text(13.0).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(row.peer, (LEFT - 8, middle), name))?;
        let mut x = f64::from(LEFT);
        for (color, part) in parts(row, table) {
            let end = x + part * scale;
            area.draw(&Rectangle::new([(x as i32, top + 3), (end as i32, top + BAR as i32 - 3)], color.filled()))?;
            x = end;
        }
        let figure = text(13.0).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(label(row, table), (x as i32 + 6, middle), figure))?;
    }
    Ok(())
}

fn parts(row: &Row, table: &Table) -> Vec<(RGBColor, f64)> {
    if table.of_memory {
        vec![(MEMORY, row.median.memory)]
    } else {
        vec![(USER, row.median.user_us), (SYSTEM, row.median.system_us)]
    }
}

fn label(row: &Row, table: &Table) -> String {
    if row.trouble.is_some() {
        return "no figures".to_owned();
    }
    let figure = if table.of_memory { bytes(row.median.memory) } else { micros(row.median.cpu_us()) };
    match row.ratio(table.of_memory) {
        Some(ratio) => format!("{figure}, {:.2} ×", ratio.median),
        None => figure,
    }
}

fn text(size: f64) -> TextStyle<'static> {
    TextStyle::from(("system-ui, sans-serif", size).into_font()).color(&TEXT)
}
