// What is watched of a model. hooks/watched.py derives it from the model's folder; what models.json says of a model comes before. Every
// number is whole, because Bicep knows no others.

@export()
type ModelWatch = {
  // As in upkeep.yaml. The rules are called NAME-error-rate and NAME-mae: upkeep.yaml says under `alerts` what they do.
  name: string
  // As in score/endpoint.yml; its name on Azure ends in the token.
  endpoint: string
  // Share of answers that are the deployment's fault, above which NAME-error-rate fires.
  errorRatePct: int
  // Requests in a quarter of an hour below which nothing is said of the share.
  errorRateRequests: int
  // Mean of AbsoluteError in ModelPerformance_CL above which NAME-mae fires: that of models.json, else the floor of the gates. It does
  // not move with the live model. 0: no rule.
  meanErrorAbove: int
  // Known outcomes in six hours below which nothing is said of the mean.
  meanErrorAnswers: int
  // Latency of 95 % of the requests, above which people are told. 0: they are not.
  latencyP95Ms: int
}
