//! A `numeric` from its binary form to the decimal notation PostgreSQL prints.

/// Digits in base 10,000, a weight, a sign and a display scale; `None` when the bytes are not that.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let word = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let count = usize::from(word(0)?);
    let weight = i32::from(word(2)?.cast_signed());
    let sign = word(4)?;
    let scale = usize::from(word(6)?);
    match sign {
        0xc000 => return Some("NaN".to_owned()),
        0xd000 => return Some("Infinity".to_owned()),
        0xf000 => return Some("-Infinity".to_owned()),
        _ => {}
    }
    let digits = (0..count).map(|n| word(8 + 2 * n)).collect::<Option<Vec<_>>>()?;
    if bytes.len() != 8 + 2 * count || digits.iter().any(|digit| *digit > 9_999) {
        return None;
    }
    let digit = |n: i32| usize::try_from(n).ok().and_then(|n| digits.get(n)).copied().unwrap_or(0);
    let mut out = String::with_capacity(count * 4 + scale + 8);
    if sign == 0x4000 {
        out.push('-');
    }
    if weight < 0 {
        out.push('0');
    }
    for n in 0..=weight {
        let digit = digit(n);
        out.push_str(&if n == 0 { digit.to_string() } else { format!("{digit:04}") });
    }
    if scale > 0 {
        out.push('.');
        let fraction = out.len();
        let mut n = weight + 1;
        while out.len() < fraction + scale {
            out.push_str(&format!("{:04}", digit(n)));
            n += 1;
        }
        out.truncate(fraction + scale);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    fn binary(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
        let count = u16::try_from(digits.len()).expect("few digits");
        let words = [count, weight.cast_unsigned(), sign, scale];
        words.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numeric_prints_as_postgresql_prints_it() {
        for (bytes, expected) in [
            (binary(0, 0, 0, &[]), "0"),
            (binary(0, 0, 2, &[]), "0.00"),
            (binary(0, 0, 2, &[1]), "1.00"),
            (binary(-1, 0x4000, 3, &[50]), "-0.005"),
            (binary(-2, 0, 6, &[1200]), "0.000012"),
            (binary(1, 0, 0, &[10]), "100000"),
            (binary(1, 0, 5, &[1, 2, 5000]), "10002.50000"),
            (binary(0, 0xc000, 0, &[]), "NaN"),
            (binary(0, 0xf000, 0, &[]), "-Infinity"),
        ] {
            assert_eq!(super::text(&bytes).as_deref(), Some(expected));
        }
        assert_eq!(super::text(&[0, 1, 0]), None);
    }
}
