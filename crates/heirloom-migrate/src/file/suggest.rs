//! The nearest accepted name to a misspelt one.

/// ` (did you mean `name`?)` when one of the accepted names is near, else nothing.
pub(crate) fn nearest<'a>(found: &str, accepted: impl IntoIterator<Item = &'a str>) -> String {
    let folded = found.to_lowercase();
    let limit = (found.chars().count() / 3).clamp(1, 3);
    accepted
        .into_iter()
        .map(|name| (distance(&folded, &name.to_lowercase()), name))
        .filter(|&(far, _)| far <= limit)
        .min_by_key(|&(far, _)| far)
        .map_or_else(String::new, |(_, name)| format!(" (did you mean `{name}`?)"))
}

/// Edits (insert, delete, replace, swap of neighbours) between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let mut best = (last[j] + usize::from(l != r)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_named() {
        let columns = ["created_at", "content", "scope"];
        assert_eq!(nearest("contnet", columns), " (did you mean `content`?)");
        assert_eq!(nearest("Created_At", columns), " (did you mean `created_at`?)");
        assert_eq!(nearest("embedding", columns), "");
        assert_eq!(nearest("", columns), "");
    }
}
