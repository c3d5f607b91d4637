//! The report's plots.
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
pub(crate) const COLOURS: [RGBColor; 3] =
    [RGBColor(194, 65, 12), RGBColor(148, 163, 184), RGBColor(100, 116, 139)];

/// A bar: its label, its length, and its index in [`COLOURS`].
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    pub(crate) colour: usize,
}

/// A bar chart that starts at zero.
pub(crate) fn bars(file: &Path, title: &str, unit: &str, bars: &[Bar]) -> Result<()> {
    let count = i32::try_from(bars.len())?;
    let height = TOP + count * (BAR + GAP) + GAP;
    let root = SVGBackend::new(file, (WIDTH, height.unsigned_abs())).into_drawing_area();
    let drawn = (|| {
        root.fill(&WHITE)?;
        root.draw(&Text::new(title, (16, 14), ("sans-serif", 18).into_font().color(&INK)))?;
        let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        let text = || ("sans-serif", 15).into_font().color(&INK);
        for (bar, row) in bars.iter().zip(0..) {
            let top = TOP + row * (BAR + GAP);
            #[expect(clippy::cast_possible_truncation)]
            let length = (bar.value / longest * f64::from(WIDTH.cast_signed() - LEFT - 110)) as i32;
            let colour = COLOURS.get(bar.colour).copied().unwrap_or(INK);
            let place = [(LEFT, top), (LEFT + length.max(2), top + BAR)];
            root.draw(&Rectangle::new(place, colour.filled()))?;
            root.draw(&Text::new(bar.label.clone(), (16, top + 6), text()))?;
            let value = format!("{} {unit}", short(bar.value));
            root.draw(&Text::new(value, (LEFT + length.max(2) + 8, top + 6), text()))?;
        }
        root.present()
    })();
    drawn.map_err(|error| anyhow!("cannot draw {}: {error}", file.display()))
}

/// One line for each program, on logarithmic axes.
pub(crate) fn lines(
    file: &Path,
    title: &str,
    axes: [&str; 2],
    lines: &[(&str, Vec<(f64, f64)>)],
) -> Result<()> {
    let root = SVGBackend::new(file, (WIDTH, 380)).into_drawing_area();
    let points = || lines.iter().flat_map(|(_, points)| points);
    let range = |pick: fn(&(f64, f64)) -> f64| {
        let values = points().map(pick);
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ((left, right), (low, high)) = (range(|point| point.0), range(|point| point.1));
    let drawn = (|| -> Result<(), Box<dyn std::error::Error>> {
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 18).into_font().color(&INK))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d((left..right).log_scale(), (low / 2.0..high * 2.0).log_scale())?;
        let [x, y] = axes;
        let number = |value: &f64| format!("{value:.0}");
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(229, 231, 235))
            .x_desc(x)
            .y_desc(y)
            .x_label_formatter(&number)
            .y_label_formatter(&number)
            .label_style(("sans-serif", 13).into_font().color(&INK))
            .draw()?;
        for ((name, points), colour) in lines.iter().zip(COLOURS) {
            let style = colour.stroke_width(3);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style).point_size(4))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(("sans-serif", 14).into_font().color(&INK))
            .border_style(RGBColor(229, 231, 235))
            .background_style(WHITE)
            .draw()?;
        Ok(root.present()?)
    })();
    drawn.map_err(|error| anyhow!("cannot draw {}: {error}", file.display()))
}
