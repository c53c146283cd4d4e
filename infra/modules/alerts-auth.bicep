// The app asks callers of /api/alerts for a token of the Entra app, on top of the function key. People's calls (/api/models…) keep to
// their key; the page holds no data and asks for none. The Entra app and its role ActionGroupsSecureWebhook are not Bicep's to make:
// hooks/secure_webhook.py does.

param appName string

@description('Client id of the Entra app.')
param alertsAppId string

// Microsoft's own application by which action groups call ("AzNS AAD Webhook"), the same in every tenant. It is no role.
#disable-next-line role
var azureMonitorAppId = '461e8683-5575-4561-ac7f-899cc907d62a'

resource site 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

resource auth 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: [
        '/api/models'
        '/api/models/'
        '/api/models/*'
        '/api/page'
      ]
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: alertsAppId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            'api://${alertsAppId}'
            alertsAppId
          ]
          defaultAuthorizationPolicy: {
            allowedApplications: [
              azureMonitorAppId
            ]
          }
        }
      }
    }
  }
}
