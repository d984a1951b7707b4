/** What the configuration says about monitoring. */
import type { MonitorSettings } from '../pressure/monitor.ts';
import type { LoadedConfiguration } from './configuration/loaded-configuration.ts';

export function monitorSettings(loaded: LoadedConfiguration): MonitorSettings {
  const { monitoring, limits } = loaded.values;
  return {
    configuredLimitBytes: limits.memoryBytes === 'auto' ? undefined : limits.memoryBytes,
    thresholdsFor: (limitBytes) => {
      const scaled = loaded.scaledTo(limitBytes);
      return {
        ...scaled.alerts,
        warningBytes: scaled.limits.warningBytes,
        criticalBytes: scaled.limits.criticalBytes,
      };
    },
    collectAboveBytes: limits.gcPressureEnabled
      ? (limitBytes) => loaded.scaledTo(limitBytes).limits.gcPressureBytes
      : undefined,
    observeOnly: monitoring.observeOnly,
    sensorIntervalMs: monitoring.sensorIntervalMs,
    storedIntervalMs: monitoring.storedIntervalMs,
    optimizationIntervalMs: monitoring.optimizationIntervalMs,
    predictionIntervalMs: monitoring.predictionIntervalMs,
  };
}
