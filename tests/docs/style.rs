//! The style of pages.
use tests::{Page, pages, root};

const WIDTH: usize = 100;
const README_WORDS: usize = 900;
/// Written by `cargo xtask bench`.
const GENERATED: &str = "bench/REPORT.md";

#[test]
fn lines_are_of_one_width_and_no_code_runs_over_their_ends() {
    let mut faults = Vec::new();
    for page in pages().into_iter().filter(|path| path != GENERATED) {
        for line in Page::read(&page).prose {
            let text = line.text.as_str();
            // A table has one line a row; a word, such as a URL, cannot be broken.
            let whole = text.starts_with('|') || !text.trim().contains(' ');
            if text.chars().count() > WIDTH && !whole {
                faults.push(format!("{page}:{}: over {WIDTH} characters", line.line));
            }
            if text.matches('`').count() % 2 == 1 {
                faults.push(format!("{page}:{}: a backtick without its other one", line.line));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn the_readme_takes_three_minutes() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let words = text.split_whitespace().count();
    assert!(words <= README_WORDS, "{words} words: what does not fit goes to docs/");
}
