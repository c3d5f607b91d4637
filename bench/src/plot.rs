//! The report's plot.
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::stats::short;

const WIDTH: u32 = 760;
const BAR: i32 = 26;
const GAP: i32 = 12;
const LEFT: i32 = 170;
const TOP: i32 = 46;
const INK: RGBColor = RGBColor(31, 41, 55);
/// The functions' colour, then the peers'.
const COLOURS: [RGBColor; 3] =
    [RGBColor(194, 65, 12), RGBColor(148, 163, 184), RGBColor(100, 116, 139)];

/// A bar chart that starts at zero; a bar is its label and its length.
pub(crate) fn bars(file: &Path, title: &str, unit: &str, bars: &[(&str, f64)]) -> Result<()> {
    let count = i32::try_from(bars.len())?;
    let height = TOP + count * (BAR + GAP) + GAP;
    let root = SVGBackend::new(file, (WIDTH, height.unsigned_abs())).into_drawing_area();
    let drawn = (|| {
        root.fill(&WHITE)?;
        root.draw(&Text::new(title, (16, 14), ("sans-serif", 18).into_font().color(&INK)))?;
        let longest = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let text = || ("sans-serif", 15).into_font().color(&INK);
        for (((label, value), colour), row) in bars.iter().zip(COLOURS).zip(0..) {
            let top = TOP + row * (BAR + GAP);
            #[expect(clippy::cast_possible_truncation)]
            let length = (value / longest * f64::from(WIDTH.cast_signed() - LEFT - 110)) as i32;
            let place = [(LEFT, top), (LEFT + length.max(2), top + BAR)];
            root.draw(&Rectangle::new(place, colour.filled()))?;
            root.draw(&Text::new(*label, (16, top + 6), text()))?;
            let value = format!("{} {unit}", short(*value));
            root.draw(&Text::new(value, (LEFT + length.max(2) + 8, top + 6), text()))?;
        }
        root.present()
    })();
    drawn.map_err(|error| anyhow!("cannot draw {}: {error}", file.display()))
}
