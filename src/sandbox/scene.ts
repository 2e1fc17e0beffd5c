import { createHash } from 'node:crypto';
import { inGlyphs, LINE_DOTS, pathOfText, widthInDots } from './glyphs.ts';

/** Everything that decides how a picture looks; the same subject is always the same picture. */
export interface Subject {
  readonly model: string;
  readonly prompt: string;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
}

type Dice = () => number;

/** A small generator of numbers in [0, 1) from the hash of the subject. Its only duty is to be repeatable. */
export function diceOf(subject: Pick<Subject, 'model' | 'prompt' | 'seed'>): Dice {
  const hash = createHash('sha256').update(`${subject.model}\0${subject.prompt}\0${subject.seed}`).digest();
  let state = hash.readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const between = (dice: Dice, low: number, high: number) => low + dice() * (high - low);

const colour = (hue: number, saturation: number, lightness: number) =>
  `hsl(${(((hue % 360) + 360) % 360).toFixed(0)},${saturation.toFixed(0)}%,${lightness.toFixed(0)}%)`;

const stop = (offset: number, fill: string, opacity = 1) =>
  `<stop offset="${offset}" stop-color="${fill}" stop-opacity="${opacity}"/>`;

interface Palette {
  readonly hue: number;
  /** How far the second colour lies from the first on the wheel. */
  readonly turn: number;
  readonly night: boolean;
}

function sky({ hue, turn, night }: Palette): string {
  const stops = night
    ? stop(0, colour(hue, 55, 10)) + stop(0.6, colour(hue + turn / 2, 50, 26)) + stop(1, colour(hue + turn, 60, 48))
    : stop(0, colour(hue, 60, 62)) + stop(0.55, colour(hue + turn / 2, 70, 76)) + stop(1, colour(hue + turn, 85, 86));
  return `<linearGradient id="sky" x1="0" y1="0" x2="0.15" y2="1">${stops}</linearGradient>`;
}

function stars(dice: Dice, width: number, height: number): string {
  const size = Math.min(width, height) / 420;
  const one = () => {
    const x = between(dice, 0, width).toFixed(1);
    const y = between(dice, 0, height * 0.6).toFixed(1);
    return `<circle cx="${x}" cy="${y}" r="${(size * between(dice, 0.4, 1.3)).toFixed(2)}"/>`;
  };
  return `<g fill="#fff" fill-opacity="0.8">${Array.from({ length: 60 }, one).join('')}</g>`;
}

function sun(dice: Dice, palette: Palette, width: number, height: number): { defs: string; body: string } {
  const x = between(dice, 0.2, 0.8) * width;
  const y = between(dice, 0.22, 0.5) * height;
  const radius = between(dice, 0.09, 0.17) * Math.min(width, height);
  const light = palette.night ? colour(palette.hue + palette.turn, 40, 92) : colour(palette.hue + palette.turn, 95, 94);
  const fading = stop(0, light, 0.75) + stop(0.35, light, 0.28) + stop(1, light, 0);
  const halo = `<radialGradient id="halo">${fading}</radialGradient>`;
  const circle = (r: number, fill: string) =>
    `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${r.toFixed(1)}" fill="${fill}"/>`;
  return { defs: halo, body: circle(radius * 3.4, 'url(#halo)') + circle(radius, light) };
}

const RIDGE_POINTS = 28;

/** One line of hills from edge to edge, a sum of three waves with midpoints joined by smooth curves. */
function ridge(dice: Dice, base: number, swing: number, width: number, height: number): string {
  const waves = [1.3, 3.1, 6.7].map((frequency, index) => ({
    frequency: frequency * between(dice, 0.7, 1.4),
    phase: between(dice, 0, Math.PI * 2),
    weight: 1 / (index + 1.2),
  }));
  const points = Array.from({ length: RIDGE_POINTS + 1 }, (_, index) => {
    const along = index / RIDGE_POINTS;
    const lift = waves.reduce(
      (sum, { frequency, phase, weight }) => sum + weight * Math.sin(along * frequency * Math.PI + phase),
      0,
    );
    return { x: along * width, y: (base - swing * lift) * height };
  });
  const start = points[0] ?? { x: 0, y: base * height };
  let path = `M0 ${height}L0 ${start.y.toFixed(1)}`;
  for (const [index, point] of points.entries()) {
    const next = points[index + 1] ?? { x: width, y: point.y };
    const middle = `${((point.x + next.x) / 2).toFixed(1)} ${((point.y + next.y) / 2).toFixed(1)}`;
    path += `Q${point.x.toFixed(1)} ${point.y.toFixed(1)} ${middle}`;
  }
  return `${path}L${width} ${height}z`;
}

function hills(dice: Dice, { hue, turn, night }: Palette, width: number, height: number): string {
  const layers = 4 + Math.floor(dice() * 3);
  const far = night ? 34 : 70;
  const near = night ? 6 : 20;
  return Array.from({ length: layers }, (_, index) => {
    const depth = index / (layers - 1);
    const fill = colour(hue + turn * (1 - depth), 30 + depth * 22, far + (near - far) * depth);
    return `<path d="${ridge(dice, 0.5 + depth * 0.36, 0.09 - depth * 0.035, width, height)}" fill="${fill}"/>`;
  }).join('');
}

function orbs(
  dice: Dice,
  { hue, turn, night }: Palette,
  width: number,
  height: number,
): { defs: string; body: string } {
  const pieces = Array.from({ length: 11 }, (_, index) => {
    const tint = hue + turn * dice();
    const shades =
      stop(0, colour(tint, 80, 88), 0.95) +
      stop(0.55, colour(tint, 65, night ? 45 : 62), 0.8) +
      stop(1, colour(tint + 25, 60, night ? 18 : 38), 0.75);
    const defs = `<radialGradient id="orb${index}" cx="0.35" cy="0.3" r="0.8">${shades}</radialGradient>`;
    const radius = (between(dice, 0.05, 0.23) * Math.min(width, height)).toFixed(1);
    const x = (dice() * width).toFixed(1);
    const y = (dice() * height).toFixed(1);
    return { defs, body: `<circle cx="${x}" cy="${y}" r="${radius}" fill="url(#orb${index})"/>` };
  });
  return { defs: pieces.map(({ defs }) => defs).join(''), body: pieces.map(({ body }) => body).join('') };
}

function brokenIntoLines(words: string, charactersMax: number, linesMax: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= charactersMax) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else if (lines.length < linesMax) {
      lines.push([...word].slice(0, charactersMax).join(''));
    } else {
      break;
    }
  }
  return lines.filter((line) => line !== '');
}

function sizeOfLabel(lines: readonly string[], dot: number): Sides {
  const pad = dot * 4;
  return {
    width: Math.max(...lines.map(widthInDots)) * dot + pad * 2,
    height: lines.length * dot * (LINE_DOTS + 4) - dot * 4 + pad * 2,
  };
}

function label(lines: readonly string[], x: number, y: number, dot: number): string {
  const pad = dot * 4;
  const lineHeight = dot * (LINE_DOTS + 4);
  const { width, height } = sizeOfLabel(lines, dot);
  const paths = lines.map((line, index) => pathOfText(line, x + pad, y + pad + index * lineHeight, dot)).join('');
  return (
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${dot * 3}" fill="#000" fill-opacity="0.5"/>` +
    `<path d="${paths}" fill="#fff" fill-opacity="0.94"/>`
  );
}

const MARK = ['SANDBOX'];

interface Sides {
  readonly width: number;
  readonly height: number;
}

const dotFor = ({ width, height }: Sides) => Math.max(1, Math.floor(Math.min(width, height) / 230));

const framed = ({ width, height }: Sides, body: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`;

/** The mark that says where a picture comes from, by itself, as large as suits a picture of this size. */
export function markFor(picture: Sides): Sides & { readonly svg: string } {
  const dot = dotFor(picture);
  const size = sizeOfLabel(MARK, dot);
  return { ...size, svg: framed(size, label(MARK, 0, 0, dot)) };
}

/** The mark and the caption of a picture, by themselves, as an SVG of its size. */
export function labelsFor({ width, height }: Sides, caption: string): string {
  return framed({ width, height }, labels(caption, width, height));
}

/** The mark that says where the picture comes from, and the first words of the prompt. */
function labels(caption: string, width: number, height: number): string {
  const dot = dotFor({ width, height });
  const margin = dot * 8;
  const charactersMax = Math.max(4, Math.floor((width - 2 * margin - 8 * dot) / (6 * dot)));
  const lines = brokenIntoLines(inGlyphs(caption), charactersMax, 2);
  const mark = label(MARK, margin, margin, dot);
  if (lines.length === 0) return mark;
  const captionHeight = dot * (lines.length * (LINE_DOTS + 4) + 4);
  return mark + label(lines, margin, height - margin - captionHeight, dot);
}

/** An SVG of exactly the subject's size, captioned; without any label where the caption is null. */
export function sceneOf(subject: Subject, caption: string | null): string {
  const { width, height } = subject;
  const dice = diceOf(subject);
  const palette: Palette = { hue: dice() * 360, turn: between(dice, 40, 150), night: dice() < 0.4 };
  const disc = sun(dice, palette, width, height);
  const motif =
    dice() < 0.7
      ? { defs: disc.defs, body: disc.body + hills(dice, palette, width, height) }
      : orbs(dice, palette, width, height);
  return framed(
    subject,
    `<defs>${sky(palette)}${motif.defs}</defs><rect width="${width}" height="${height}" fill="url(#sky)"/>` +
      `${palette.night ? stars(dice, width, height) : ''}${motif.body}` +
      `${caption === null ? '' : labels(caption, width, height)}`,
  );
}
