/** Red, green and blue, each from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** A colour as a person names it. */
export interface Tone {
  /** Degrees on the wheel; null for what has no colour. */
  readonly hue: number | null;
  /** Whether a pixel of this hue, chroma and lightness is called so; all but the hue are from 0 to 255. */
  matches(hue: number, chroma: number, lightness: number): boolean;
  /** How light a pixel becomes that is given this colour. */
  lightness(old: number): number;
}

/** Below this a pixel is grey to most eyes. */
const CHROMA_MIN = 48;
/** A pixel that is given a colour has at least this much of it, and is neither so dark nor so light that none is seen. */
const CHROMA_GIVEN = 90;
const DARKEST = 50;
const LIGHTEST = 205;

function hued(hue: number, from: number, to: number): Tone {
  return {
    hue,
    matches: (each, chroma) =>
      chroma >= CHROMA_MIN && (from <= to ? each >= from && each < to : each >= from || each < to),
    lightness: (old) => Math.min(LIGHTEST, Math.max(DARKEST, old)),
  };
}

function grey(matches: (lightness: number) => boolean, lightness: (old: number) => number): Tone {
  return { hue: null, matches: (_, chroma, each) => chroma < CHROMA_MIN && matches(each), lightness };
}

const PURPLE = hued(270, 250, 290);
const PINK = hued(320, 290, 345);
const CYAN = hued(182, 165, 200);
const GREY = grey(
  (lightness) => lightness >= 60 && lightness <= 200,
  (old) => old,
);

/** The words for colours that are understood. */
const TONES: Readonly<Record<string, Tone>> = {
  red: hued(0, 345, 15),
  orange: hued(28, 15, 45),
  yellow: hued(55, 45, 70),
  green: hued(120, 70, 165),
  cyan: CYAN,
  turquoise: CYAN,
  blue: hued(225, 200, 250),
  purple: PURPLE,
  violet: PURPLE,
  pink: PINK,
  magenta: PINK,
  white: grey(
    (lightness) => lightness > 200,
    (old) => 205 + old / 6,
  ),
  black: grey(
    (lightness) => lightness < 60,
    (old) => old / 5,
  ),
  grey: GREY,
  gray: GREY,
};

/** The first colour that is named in some words, or null. */
export function toneIn(words: string): Tone | null {
  for (const word of words.toLowerCase().match(/[a-z]+/g) ?? []) {
    const tone = Object.hasOwn(TONES, word) ? TONES[word] : undefined;
    if (tone) return tone;
  }
  return null;
}

function hueOf([red, green, blue]: Rgb, highest: number, chroma: number): number {
  if (chroma === 0) return 0;
  if (highest === red) return (((green - blue) / chroma + 6) % 6) * 60;
  return (highest === green ? (blue - red) / chroma + 2 : (red - green) / chroma + 4) * 60;
}

/** Whether a colour is what people call by the name of this tone. */
export function isOf(tone: Tone, rgb: Rgb): boolean {
  const [red, green, blue] = rgb;
  const [highest, lowest] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  const chroma = highest - lowest;
  return tone.matches(hueOf(rgb, highest, chroma), chroma, (highest + lowest) / 2);
}

/** A colour turned into another tone, its shades kept as far as they can be told apart in it. */
export function toned(tone: Tone, rgb: Rgb): Rgb {
  const [highest, lowest] = [Math.max(...rgb), Math.min(...rgb)];
  const lightness = tone.lightness((highest + lowest) / 2);
  if (tone.hue === null) return [lightness, lightness, lightness];
  // No lightness but the middle one leaves room for all of a colour.
  const chroma = Math.min(Math.max(highest - lowest, CHROMA_GIVEN), 2 * Math.min(lightness, 255 - lightness));
  const sector = tone.hue / 60;
  const second = chroma * (1 - Math.abs((sector % 2) - 1));
  const base = lightness - chroma / 2;
  const wheel: readonly Rgb[] = [
    [chroma, second, 0],
    [second, chroma, 0],
    [0, chroma, second],
    [0, second, chroma],
    [second, 0, chroma],
    [chroma, 0, second],
  ];
  const [r, g, b] = wheel[Math.floor(sector) % 6] ?? [0, 0, 0];
  return [r + base, g + base, b + base];
}

/** A tone of the hue that lies at a place on the wheel, in degrees. */
export function toneAt(hue: number): Tone {
  return hued(hue, hue - 15, hue + 15);
}
