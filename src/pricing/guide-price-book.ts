import { MODULES } from '../catalog/operations.ts';
import type { PriceBookDocument } from './price-book.ts';

const GIB = 1024 ** 3;
const same = (price: number) => ({ S: price, M: price, L: price });

/**
 * Version 1: the prices of the published cost guide. Vendor costs are list prices in millionths of a US dollar
 * (Stability: one vendor credit is $0.01, price list of 2025-08-01; Gemini: price per output image, October 2026;
 * WaveSpeed: per image; fal: per started megapixel; hf-inference: ten seconds of the hardware that serves FLUX).
 */
export const GUIDE_PRICE_BOOK: PriceBookDocument = {
  generateByQuality: {
    DRAFT: { S: 1, M: 2, L: 2 },
    STANDARD: { S: 3, M: 4, L: 5 },
    PREMIUM: { S: 6, M: 6, L: 8 },
  },
  generateByModel: {
    'stability/ultra': same(8),
    'stability/core': same(3),
    'stability/sd3.5-large': same(6.5),
    'stability/sd3.5-large-turbo': same(4),
    'stability/sd3.5-medium': same(3.5),
    'stability/sd3.5-flash': same(2.5),
    'wavespeed/ideogram-v3-turbo': { S: 5, M: 5, L: 6 },
    'wavespeed/ideogram-v3-balanced': same(6),
    'wavespeed/qwen-image': { S: 1, M: 2, L: 2 },
    'huggingface/flux-schnell': { S: 1, M: 1, L: 2 },
    'huggingface/flux-dev': { S: 3, M: 3, L: 5 },
    'huggingface/flux-krea-dev': { S: 3, M: 3, L: 5 },
    'gemini/nano-banana': { S: 4, M: 4, L: 5 },
    'gemini/flash-lite': { S: 4, M: 4 },
    'gemini/pro': same(14),
    'gemini/imagen-4': { S: 4, M: 4, L: 5 },
  },
  edit: {
    removeBackground: { S: 2, M: 3, L: 3 },
    erase: { S: 3, M: 3, L: 4 },
    inpaint: { S: 3, M: 3, L: 4 },
    outpaint: { S: 4, M: 4, L: 5 },
    searchReplace: { S: 4, M: 4, L: 5 },
    searchRecolor: { S: 4, M: 4, L: 5 },
    relight: { S: 5, M: 5, L: 6 },
    general: { S: 3, M: 4, L: 5 },
  },
  upscale: {
    FAST: { S: 2, M: 2 },
    CONSERVATIVE: { S: 6, M: 6, L: 7 },
    CREATIVE: { S: 6, M: 6 },
  },
  optimize: 0,
  vendorCosts: {
    'stability/ultra': { perImage: 80_000 },
    'stability/core': { perImage: 30_000 },
    'stability/sd3.5-large': { perImage: 65_000 },
    'stability/sd3.5-large-turbo': { perImage: 40_000 },
    'stability/sd3.5-medium': { perImage: 35_000 },
    'stability/sd3.5-flash': { perImage: 25_000 },
    'wavespeed/ideogram-v3-turbo': { perImage: 30_000 },
    'wavespeed/ideogram-v3-balanced': { perImage: 60_000 },
    'wavespeed/qwen-image': { perImage: 20_000 },
    'huggingface/flux-schnell@hf-inference': { perImage: 1_200 },
    'huggingface/flux-schnell@fal-ai': { perMegapixel: 3_000 },
    'huggingface/flux-dev': { perMegapixel: 25_000 },
    'huggingface/flux-krea-dev': { perMegapixel: 25_000 },
    'gemini/nano-banana': { perImageSize: { '1K': 33_600, '2K': 50_400, '4K': 113_400 } },
    'gemini/flash-lite': { perImage: 33_600 },
    'gemini/pro': { perImageSize: { '1K': 134_000, '2K': 134_000, '4K': 240_000 } },
    'gemini/imagen-4': { perImage: 40_000 },
  },
  tiers: {
    FREE: {
      monthlyCredits: 25,
      submissionsPerMinute: 10,
      runningJobs: 1,
      storageBytes: GIB,
      qualityMax: 'STANDARD',
      modules: ['generate', 'removeBackground', 'general', 'optimize', 'library'],
      imagesPerOperation: 4,
      queuePriority: 0,
      freeImages: { huggingface: 5, gemini: 3 },
    },
    BASIC: {
      monthlyCredits: 300,
      submissionsPerMinute: 60,
      runningJobs: 4,
      storageBytes: 10 * GIB,
      qualityMax: 'STANDARD',
      modules: [...MODULES],
      imagesPerOperation: 10,
      queuePriority: 1,
      freeImages: { huggingface: 20, gemini: 10 },
    },
    PRO: {
      monthlyCredits: 2000,
      submissionsPerMinute: 300,
      runningJobs: 16,
      storageBytes: 100 * GIB,
      qualityMax: 'PREMIUM',
      modules: [...MODULES],
      imagesPerOperation: 10,
      queuePriority: 2,
      freeImages: { huggingface: 50, gemini: 25 },
    },
    ENTERPRISE: {
      monthlyCredits: null,
      submissionsPerMinute: 1000,
      runningJobs: 64,
      storageBytes: 1024 * GIB,
      qualityMax: 'PREMIUM',
      modules: [...MODULES],
      imagesPerOperation: 10,
      queuePriority: 3,
      freeImages: { huggingface: 100, gemini: 50 },
    },
  },
};
